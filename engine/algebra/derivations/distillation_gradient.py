"""The gradient of distillation at temperature T, and its scaling by T² (Hinton et al. 2015)."""

from sympy import Expr, Symbol

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Asked, Desk, Knob, Row
from engine.algebra.expressions import (
    COUNT_N,
    INDEX,
    Divergence,
    Glyph,
    Indexed,
    J,
    K,
    Limit,
    Named,
    Slope,
    Total,
    e,
    ln,
    minus,
    negative,
    over,
    piece,
    squared,
    times,
)
from engine.algebra.line import Control, Line, defines, equal
from engine.algebra.outcomes import Entropy, Score

OVER = "classes"
T = Symbol("T", positive=True)  # the temperature
FINITE = "The set of classes is finite, and every logit is a finite number."
WARM = "The temperature T is above zero, and the same for teacher and student."
CENTERED = (
    "The logits of the student sum to zero, and so do those of the teacher; a softmax does not "
    "change if a number is added to all logits."
)
SETTING = (FINITE, WARM)


class TeacherScore(Indexed):
    """v_i, the logits of the teacher."""

    glyph = Glyph("v", "v", role="reference")
    slug = "teacher-score"


class Student(Indexed):
    """q_i(T), the student's probabilities at temperature T."""

    glyph = Glyph("q", "q", role="policy")
    slug = "student"
    is_positive = True

    def definition(self) -> Expr:
        """e^(z_i/T) / Σ e^(z_j/T)."""
        return _softened(Score, *self.args)


class Teacher(Indexed):
    """p_i(T), the teacher's probabilities at temperature T: the soft targets."""

    glyph = Glyph("p", "p", role="reference")
    slug = "teacher"
    is_positive = True

    def definition(self) -> Expr:
        """e^(v_i/T) / Σ e^(v_j/T)."""
        return _softened(TeacherScore, *self.args)


class SoftLoss(Named):
    """L, the divergence of the student from the soft targets."""

    glyph = Glyph("L", "the loss")
    slug = "loss"

    def definition(self) -> Expr:
        """KL(p ‖ q) at temperature T."""
        return Divergence(p, q, INDEX)


def _softened(logit: type[Named], index: Expr, temperature: Expr) -> Expr:
    weights = Total(e(over(logit(J), temperature)), J)
    return over(e(over(logit(index), temperature)), weights)


p, q = Teacher(INDEX, T), Student(INDEX, T)
loss = SoftLoss()
slope = piece("slope", Slope(loss, Score(K)))
error = piece("error", minus(Student(K, T), Teacher(K, T)))
soft = negative(Total(times(p, ln(q)), INDEX))

SOFTENED = Line(
    id="softened",
    rule="Divide the logits by a temperature",
    relation=equal(q, over(e(over(Score(INDEX), T)), Total(e(over(Score(J), T)), J))),
    reading="A temperature above one flattens the probabilities of student and teacher alike, so "
    "that what the teacher gives to wrong classes can be seen.",
    assumptions=SETTING,
    source="hinton2015",
    locator="eq. 1",
    where=(defines(p),),
    over=OVER,
    typed="q = sigma(u/T)",
    typed_note="For two classes: q is the probability of one, and u its logit less that of the "
    "other.",
    typed_control="q = sigma(T*u)",
    control=Control(
        equal(q, over(e(times(T, Score(INDEX))), Total(e(times(T, Score(J))), J))),
        "The logits are multiplied by T, which would sharpen the distribution.",
    ),
)

LOSS = Line(
    id="loss",
    rule="Compare the student with the soft targets",
    relation=equal(loss, minus(soft, Entropy(p, INDEX))),
    reading="The divergence from the teacher is a cross-entropy less the teacher's own entropy "
    "H(p). The student cannot change H(p), so both losses have one gradient.",
    assumptions=SETTING,
    source="hinton2015",
    locator="section 2, where it is a cross-entropy",
    where=(equal(loss, Divergence(p, q, INDEX)),),
    over=OVER,
    typed="p*log p - p*log q",
    typed_note="One class's term of the sum: p is the teacher's probability, q the student's.",
    typed_control="-p*log q",
    control=Control(
        equal(loss, soft),
        "The teacher's entropy is left out: the gradient is the same, the value is not.",
    ),
)

GRADIENT = Line(
    id="gradient",
    rule="Differentiate in one logit of the student",
    relation=equal(slope, times(over(1, T), error)),
    reading="As without a temperature, the gradient is probability less target. The factor 1/T "
    "comes from the logit, which T divides.",
    assumptions=SETTING,
    source="hinton2015",
    locator="eq. 2",
    over=OVER,
    typed="(q - p)/T",
    typed_note="The gradient in one logit of the student.",
    typed_control="q - p",
    control=Control(
        equal(slope, error),
        "The factor 1/T is missing.",
    ),
)

SCALED = Line(
    id="scaled",
    rule="Multiply by T²",
    relation=equal(times(squared(T), slope), times(T, error)),
    reading="At high temperature the difference q_k − p_k itself shrinks like 1/T. With T² in "
    "front the gradient no longer shrinks as T grows.",
    assumptions=SETTING,
    source="hinton2015",
    locator="section 2",
    over=OVER,
    typed="T*(q - p)",
    typed_note="T² times that gradient.",
    control=Control(
        equal(times(T, slope), times(T, error)),
        "With T in place of T² the gradient still shrinks as the temperature grows.",
    ),
)

LIMIT = Line(
    id="limit",
    rule="Let the temperature grow",
    relation=equal(
        Limit(times(T, error), T),
        over(minus(Score(K), TeacherScore(K)), COUNT_N),
    ),
    reading="In the limit distillation matches logits: this is the gradient of half the squared "
    "differences of the logits, divided by the number N of classes.",
    assumptions=(*SETTING, CENTERED),
    source="hinton2015",
    locator="eq. 4",
    centered=(Score, TeacherScore),
    over=OVER,
    control=Control(
        equal(Limit(times(T, error), T), minus(Score(K), TeacherScore(K))),
        "The 1/N is missing: at high temperature every probability is near 1/N.",
    ),
)

DERIVATION = Derivation(
    id="distillation-gradient",
    title="Why distillation is scaled by T²",
    goal="The gradient at temperature T, and what it becomes when T is large.",
    lines=(SOFTENED, LOSS, GRADIENT, SCALED, LIMIT),
    desk=Desk(
        outcomes=("cat", "dog", "car"),
        knobs=(Knob("T", "T", T, 2.0, choices=(0.5, 1.0, 2.0, 4.0, 8.0, 20.0)),),
        rows=(
            Row(
                "z",
                "student's logit",
                Score,
                (1.0, 0.0, -1.0),
                (-4.0, 4.0),
                0.1,
                made="centered",
                told="The student's logits z, less their mean",
            ),
            Row(
                "v",
                "teacher's logit",
                TeacherScore,
                (3.0, 1.0, -4.0),
                (-4.0, 4.0),
                0.1,
                made="centered",
                told="The teacher's logits v, less their mean",
            ),
        ),
        asked=(
            Asked((INDEX,), "i = “{}”"),
            Asked((K,), "k = “{}”", place=1, key="k", label="k, the class whose logit moves"),
        ),
    ),
    names={"p": p, "q": q, "T": T, "u": times(T, ln(over(q, minus(1, q))))},
)
