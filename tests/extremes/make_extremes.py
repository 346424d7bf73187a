#!/usr/bin/env python3
"""Computes tests/extremes/values.txt: what each op is at the ends of its domain, for tests/ops/extremes_test.cpp.

Not run by CI: python3 tests/extremes/make_extremes.py > tests/extremes/values.txt
values.txt was made with mpmath 1.3.0. Nothing here is read from xtape: each op is written from its definition.

An op has a formula for its value and one for its derivative in each input, both in mpmath to 2,500 bits, and says what
they are where mpmath gives no answer: in the limits at infinities, at poles and at kinks. The rules:

  * At an infinity, value and derivative are the limits along that input, the others held. NaN where there is none.
  * A NaN makes a NaN of the value and of each derivative which depends on that input.
  * At a kink the derivative is the one that docs/ops.md states.
  * At a pole each zero is approached from its own side: 1 / -0 is -inf.
  * Where the value is NaN, outside of the domain, so are the derivatives, but for those whose formula goes on there
    (a logarithm's, 1 / x): these go on, as docs/ops.md states.
  * The sign of a zero is compared in values of elementwise ops, where IEEE 754 or the array API standard says it. It
    is written +0 or -0 then, and 0 where any zero will do.
  * A derivative does not exist ("-") where the op cuts the gradient. One that is written "?" is not compared.
"""
import itertools
import sys

import mpmath
from mpmath import mp, mpf

mp.prec = 2500
INF, NAN = mpf("inf"), mpf("nan")


UNCHECKED = object()  # written "?": a derivative that the test passes over


class Zero:
    """A zero whose sign counts."""

    def __init__(self, negative):
        self.negative = negative


def zero_like(*signs):
    """The zero with the product of these signs."""
    return Zero(sum(is_negative(each) for each in signs) % 2 == 1)


def unsigned(x):
    return 0 if isinstance(x, Zero) else x


# ---- Numbers of a type ----


class Type:
    def __init__(self, letter, digits, lowest, highest):
        self.letter, self.digits = letter, digits
        self.lowest = lowest  # the exponent of the smallest normal number
        self.smallest = 2.0**lowest
        self.tiny = float(mpf(2) ** (lowest - digits + 1))  # the smallest number above 0
        self.largest = float((2 - mpf(2) ** (1 - digits)) * mpf(2) ** (highest - 1))
        self.highest = highest

    def round(self, x):
        """The nearest number of this type to an mpf, of two the even one, as a Python float."""
        if isinstance(x, Zero):
            return -0.0 if x.negative else 0.0
        if not mpmath.isfinite(x) or x == 0:
            return float(x)
        sign, mantissa, exponent, bits = x._mpf_
        top = exponent + bits - 1  # 2^top <= |x| < 2^(top + 1)
        unit = max(top, self.lowest) - self.digits + 1
        shift = unit - exponent
        if shift <= 0:
            count = mantissa << -shift if -shift < 5000 else None
        elif shift > bits + 2:
            count = 0
        else:
            count, rest = mantissa >> shift, mantissa & ((1 << shift) - 1)
            half = 1 << (shift - 1)
            if rest > half or (rest == half and count & 1):
                count += 1
        if top > self.highest or (count and count.bit_length() + unit > self.highest):
            rounded = float("inf")
        else:
            rounded = float(mpmath.ldexp(mpf(count), unit))
        return -rounded if sign else rounded


FLOAT, DOUBLE = Type("f", 24, -126, 128), Type("d", 53, -1022, 1024)


def is_negative(x):
    """Of a Python float, an mpf or a Zero: whether it has a minus sign."""
    if isinstance(x, Zero):
        return x.negative
    if isinstance(x, float):
        return x.hex().startswith("-")
    return x < 0


def text(x):
    """A number of a type: C's hexadecimal form, without the zeros at its end."""
    if x != x:
        return "nan"
    if x in (float("inf"), float("-inf")):
        return "inf" if x > 0 else "-inf"
    if x == 0:
        return "-0" if is_negative(x) else "+0"
    if x == int(x) and abs(x) < 100000:
        return str(int(x))
    mantissa, exponent = x.hex().split("p")
    return mantissa.rstrip("0").rstrip(".") + "p" + exponent.lstrip("+")


def result_text(x, kind):
    """Of a value or derivative: an mpf, a Python number, a Zero, or None where there is none."""
    if x is None:
        return "-"
    if x is UNCHECKED:
        return "?"
    if isinstance(x, Zero):
        return text(kind.round(x))
    x = mpmath.mpmathify(x)
    if x == 0:
        return "0"
    rounded = kind.round(x)
    return "0" if rounded == 0 else text(rounded)  # an underflow


# ---- Inputs ----

# By name, so that a list of points serves both types; other points are rounded to the type.
NAMED = {
    "tiny": lambda t: t.tiny,
    "smallest": lambda t: t.smallest,
    "largest": lambda t: t.largest,
    "below 1": lambda t: 1 - 2.0**-t.digits,
    "above 1": lambda t: 1 + 2.0 ** (1 - t.digits),
}


def point(x, kind):
    if isinstance(x, str) and x.startswith("-"):
        return -point(x[1:], kind)
    if x in NAMED:
        return NAMED[x](kind)
    x = float(x)
    return x if x != x or x in (float("inf"), float("-inf")) or x == 0 else kind.round(mpf(x))


ENDS = [0.0, -0.0, "smallest", "-smallest", "largest", "-largest", "inf", "-inf", "nan"]
MIDDLE = [0.5, -0.5, 1, -1, 2.5, -2.5]


def exact(x):
    return mpf(x)


def cases(points, kind):
    """All combinations of each input's points, each once."""
    seen = set()
    for inputs in itertools.product(*points):
        numbers = tuple(point(x, kind) for x in inputs)
        key = tuple(text(x) for x in numbers)
        if key not in seen:
            seen.add(key)
            yield numbers


def row(name, kind, inputs, value, derivatives):
    left = " ".join(text(x) for x in inputs)
    right = " ".join(result_text(unsigned(x), kind) for x in derivatives)
    print(f"{name} {kind.letter} {left} = {result_text(value, kind)} : {right}")


class Unary:
    """An op of one input: value(x), slope(x), for finite x that are not in `at`, {x: (value, slope)}.

    `at` may hold 0, for both zeros, or "+0" and "-0". `odd`: an op that is 0 at 0 gives x's own zero.
    `outside(x)`: where the value is NaN; the slope is NaN there too, unless `continues`.
    """

    def __init__(self, value, slope, at=None, points=(), odd=False, outside=None, continues=False, middle=MIDDLE):
        self.value, self.slope, self.at, self.points = value, slope, at or {}, points
        self.odd, self.outside, self.continues, self.middle = odd, outside, continues, middle

    def __call__(self, number):
        if number != number:
            return NAN, NAN
        x = exact(number)
        if x == 0:
            key = "-0" if is_negative(number) else "+0"
            if key in self.at:
                return self.at[key]
        if x in self.at:
            value, slope = self.at[x]
        elif self.outside and self.outside(x):
            value, slope = NAN, self.slope(x) if self.continues else NAN
        else:
            value, slope = self.value(x), self.slope(x)
        if self.odd and x == 0:
            value = zero_like(number)
        return value, slope

    def rows(self, name):
        for kind in (FLOAT, DOUBLE):
            for (number,) in cases([ENDS + list(self.middle) + list(self.points)], kind):
                value, slope = self(number)
                row(name, kind, [number], value, [slope])


class Several:
    """An op of several inputs: f(numbers) gives (value, derivatives). The numbers are Python floats, for their zeros.
    `without(numbers)`: cases that are left out."""

    def __init__(self, f, *points, without=lambda *numbers: False):
        self.f, self.points, self.without = f, points, without

    def rows(self, name):
        for kind in (FLOAT, DOUBLE):
            for numbers in cases(self.points, kind):
                if self.without(*numbers):
                    continue
                value, derivatives = self.f(*numbers)
                row(name, kind, numbers, value, derivatives)


OPS = {}


def sign(x):
    return mpf(-1) if is_negative(x) else mpf(1)


def infinite(x):
    return x in (float("inf"), float("-inf"))


def isnan(*numbers):
    return any(x != x for x in numbers)


# IEEE 754's arithmetic on Python floats, with its zeros and infinities and without a rounding.


def wide(x):
    """A Python float as what the functions below take and give: an mpf, or a Zero."""
    if isinstance(x, (Zero, mpf)):
        return x
    return zero_like(x) if x == 0 else exact(x)


def is_zero(x):
    return isinstance(x, Zero) or x == 0


def times(a, b):
    a, b = wide(a), wide(b)
    if is_zero(a) or is_zero(b):
        other = b if is_zero(a) else a
        return NAN if not is_zero(other) and not mpmath.isfinite(other) else zero_like(a, b)
    return a * b


def over(a, b):
    a, b = wide(a), wide(b)
    if not is_zero(a) and mpmath.isnan(a) or not is_zero(b) and mpmath.isnan(b):
        return NAN
    if is_zero(b):
        return NAN if is_zero(a) else sign(a) * sign(b) * INF
    if is_zero(a):
        return zero_like(a, b)
    if mpmath.isinf(b):
        return NAN if mpmath.isinf(a) else zero_like(a, b)
    return a / b


def plus(a, b):
    a, b = wide(a), wide(b)
    if is_zero(a) and is_zero(b):
        return a if is_negative(a) == is_negative(b) else Zero(False)
    if is_zero(a) or is_zero(b):
        return b if is_zero(a) else a
    total = a + b
    return Zero(False) if total == 0 else total


def minus(a):
    a = wide(a)
    return Zero(not a.negative) if isinstance(a, Zero) else -a


PAIRS = ENDS + [1, -2.5]
SECOND = [0.0, -0.0, "smallest", "-largest", "inf", "-inf", "nan", -2.5]  # a second input's, beside all of PAIRS

# ---- Comparisons, logic and choice: exact. A comparison with NaN is false, and NaN is not 0: it counts as true ----

COMPARED = [0.0, -0.0, "smallest", "inf", "-inf", "nan", 1]
for name, f in {
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "logical_and": lambda a, b: a != 0 and b != 0,
    "logical_or": lambda a, b: a != 0 or b != 0,
    "logical_xor": lambda a, b: (a != 0) != (b != 0),
}.items():
    OPS[name] = Several(lambda a, b, f=f: (mpf(f(a, b)), [None, None]), COMPARED, COMPARED)
for name, f in {
    "logical_not": lambda x: x == 0,
    "isnan": lambda x: x != x,
    "isinf": lambda x: infinite(x),
    "isfinite": lambda x: x == x and not infinite(x),
    "signbit": lambda x: is_negative(x),
}.items():
    OPS[name] = Several(lambda x, f=f: (mpf(f(x)), [None]), ENDS + MIDDLE + ["tiny", "-tiny"])
OPS["stop_gradient"] = Several(lambda x: (wide(x), [None]), ENDS + MIDDLE + ["tiny"])
OPS["where"] = Several(
    lambda c, a, b: (wide(a), [None, 1, 0]) if c != 0 else (wide(b), [None, 0, 1]),
    [0.0, -0.0, 1, "tiny", "nan"], SECOND, ["largest", "nan"])

# ---- Arithmetic: IEEE 754's, which is exact at its ends ----

OPS["add"] = Several(lambda a, b: (plus(a, b), [1, 1]), PAIRS + ["tiny"], SECOND)
OPS["subtract"] = Several(lambda a, b: (plus(a, minus(b)), [1, -1]), PAIRS + ["tiny"], SECOND)
OPS["multiply"] = Several(lambda a, b: (times(a, b), [wide(b), wide(a)]), PAIRS + ["tiny"], SECOND)


def divide(a, b):
    """a / b^2 is the limit of a quotient whose value has one: NaN for inf / inf, 0 / 0 and what they are made of."""
    value = over(a, b)
    return value, [over(1.0, b), minus(over(over(a, b), b)) if not isnan(a, b) else NAN]


OPS["divide"] = Several(divide, PAIRS, SECOND)
OPS["negative"] = Several(lambda x: (minus(x), [-1]), ENDS + MIDDLE + ["tiny"])
OPS["positive"] = Several(lambda x: (wide(x), [1]), ENDS + MIDDLE + ["tiny"])
OPS["reciprocal"] = Several(lambda x: (over(1.0, x), [minus(over(over(1.0, x), x))]),
                            ENDS + MIDDLE + [1e-20, 1e20, 1e-160, 1e160])
OPS["abs"] = Several(  # the kink: 0
    lambda x: (NAN if isnan(x) else Zero(False) if x == 0 else abs(exact(x)),
               [NAN if isnan(x) else 0 if x == 0 else sign(x)]), ENDS + MIDDLE + ["tiny", "-tiny"])


def larger(a, b, way):
    """max for way = 1, min for -1. Equal ones share the gradient."""
    if isnan(a, b):
        return NAN, [NAN, NAN]
    value = a if a * way > b * way else b
    return exact(value), [0.5, 0.5] if a == b else [mpf(a == value), mpf(b == value)]


OPS["maximum"] = Several(lambda a, b: larger(a, b, 1), PAIRS, SECOND)
OPS["minimum"] = Several(lambda a, b: larger(a, b, -1), PAIRS, SECOND)


def clip(x, low, high, to_x_on_bounds):
    """min(max(x, low), high): `high` where the bounds are the wrong way round. On a bound the gradient is x's (clip) or
    the bound's (hardtanh)."""
    if isnan(x, low, high):
        return NAN, [NAN] * 3
    value = min(max(x, low), high)
    inside = low < x < high
    if to_x_on_bounds:
        x_wins, low_wins = low <= x <= high, x < low <= high
    else:
        x_wins, low_wins = inside, x <= low < high
    if low > high or (not to_x_on_bounds and low == high):
        # `high` in any case; clip's x, where it equals high, has max(x, low) = low above it
        x_wins = low_wins = False
    return exact(value), [mpf(x_wins), mpf(low_wins), mpf(not x_wins and not low_wins)]


BOUNDED = ENDS + [-1, 1, 0.5, 2.5]
OPS["clip"] = Several(lambda x, low, high: clip(x, low, high, True), BOUNDED, [-1, "-inf", "nan"], [1, "inf", "nan"])
OPS["hardtanh"] = Several(lambda x, low, high: clip(x, low, high, False), BOUNDED, [-1, "-inf", "nan"],
                          [1, "inf", "nan"])

# ---- Exponentials and logarithms ----

exp, log = mpmath.exp, mpmath.log


def sigmoid(x):
    """1 / (1 + exp(-x)), of any finite x without waiting for a number of 10^308 digits."""
    if x < -5000:
        return exp(x)
    return 1 / (1 + exp(-x))


def softplus(x):
    return max(x, mpf(0)) + mpmath.log1p(exp(-abs(x))) if abs(x) < 1500 else max(x, exp(x) if x < 0 else x)


# Where results over- and underflow in float and double.
EXPONENTS = [88.7, 88.8, 709.7, 709.8, -17, -20, -37, -40, -80, -87, -88, -100, -104, -700, -708, -720, -745, -746]
BOTH = [x * s for x in [1e-3, 5, 10, 15, 17, 20, 37, 40, 80, 88, 100, 110, 700, 720, 745, 760] for s in (1, -1)]

OPS["exp"] = Unary(exp, exp, {INF: (INF, INF), -INF: (Zero(False), 0)}, EXPONENTS)
OPS["exp2"] = Unary(lambda x: 2**x, lambda x: mpmath.ln(2) * 2**x, {INF: (INF, INF), -INF: (Zero(False), 0)},
                    [127.5, 128, -126, -127, -149, -150, 1023.5, 1024, -1022, -1023, -1074, -1076])
OPS["expm1"] = Unary(mpmath.expm1, exp, {INF: (INF, INF), -INF: (-1, 0)}, EXPONENTS, odd=True)
POSITIVE = ["tiny", "below 1", "above 1", 3, 1e-30, 1e30, 1e-200, 1e200]
OPS["log"] = Unary(log, lambda x: 1 / x, {INF: (INF, 0), -INF: (NAN, 0), "+0": (-INF, INF), "-0": (-INF, -INF)},
                   POSITIVE, outside=lambda x: x < 0, continues=True)
OPS["log2"] = Unary(lambda x: log(x) / log(mpf(2)), lambda x: 1 / (x * log(mpf(2))),
                    {INF: (INF, 0), -INF: (NAN, 0), "+0": (-INF, INF), "-0": (-INF, -INF)}, POSITIVE,
                    outside=lambda x: x < 0, continues=True)
OPS["log10"] = Unary(lambda x: log(x) / log(mpf(10)), lambda x: 1 / (x * log(mpf(10))),
                     {INF: (INF, 0), -INF: (NAN, 0), "+0": (-INF, INF), "-0": (-INF, -INF)}, POSITIVE,
                     outside=lambda x: x < 0, continues=True)
OPS["log1p"] = Unary(mpmath.log1p, lambda x: 1 / (1 + x), {INF: (INF, 0), -INF: (NAN, 0), -1: (-INF, INF)},
                     POSITIVE + ["-below 1", "-above 1"], odd=True, outside=lambda x: x < -1, continues=True)
OPS["sigmoid"] = Unary(sigmoid, lambda x: sigmoid(x) * sigmoid(-x), {INF: (1, 0), -INF: (0, 0)}, BOTH)
OPS["softplus"] = Unary(softplus, sigmoid, {INF: (INF, 1), -INF: (0, 0)}, BOTH)
OPS["logsigmoid"] = Unary(lambda x: -softplus(-x), lambda x: sigmoid(-x), {INF: (0, 0), -INF: (-INF, 1)}, BOTH)
# Beyond the ends the slope's formula goes on: 1 / (x (1 - x)), negative there.
OPS["logit"] = Unary(lambda x: log(x / (1 - x)), lambda x: 1 / (x * (1 - x)),
                     {"+0": (-INF, INF), "-0": (-INF, -INF), 1: (INF, INF), INF: (NAN, 0), -INF: (NAN, 0)},
                     ["tiny", "below 1", "above 1", 1e-30, 1e-200, 0.25, 0.75, 0.9], outside=lambda x: x < 0 or x > 1,
                     continues=True)


def logaddexp(a, b):
    if isnan(a, b):
        return NAN, [NAN, NAN]
    if infinite(a) or infinite(b):  # equal infinities, a kink, share the gradient
        return exact(max(a, b)), [0.5, 0.5] if a == b else [mpf(a > b), mpf(b > a)]
    high, low = max(exact(a), exact(b)), min(exact(a), exact(b))
    return high + softplus(low - high), [sigmoid(exact(a) - exact(b)), sigmoid(exact(b) - exact(a))]


OPS["logaddexp"] = Several(logaddexp, PAIRS + [20, 100], PAIRS + [-20, -100])


def xlogy(x, y, inner):
    """x log(inner + y): 0 where x = 0, whatever y is. At x = 0 the slope in x is the logarithm, or 0 where that is no
    finite number; the slope in y, x / (inner + y), is 0 there even at the pole. It goes on where the value is NaN."""
    argument = exact(y) + inner
    if isnan(y):
        return NAN, [NAN, NAN]
    if argument < 0:
        logarithm = NAN
    elif argument == 0:
        logarithm = -INF
    else:
        # log1p(-0) is -0
        logarithm = INF if infinite(y) else zero_like(y) if inner and y == 0 else log(argument)
    if x == 0:
        return 0, [0 if argument <= 0 else logarithm, 0 if argument == 0 else times(x, over(1.0, argument))]
    slope = NAN if isnan(x) else over(x, wide(y) if inner == 0 else argument if argument != 0 else Zero(False))
    return times(x, logarithm) if not isnan(x) else NAN, [logarithm, slope]


OPS["xlogy"] = Several(lambda x, y: xlogy(x, y, 0), PAIRS, ENDS + [1, 2.5, -2.5])
OPS["xlog1py"] = Several(lambda x, y: xlogy(x, y, 1), PAIRS, ENDS + [-1, 1, 2.5, -2.5])

# ---- Powers and roots ----

OPS["square"] = Unary(lambda x: x * x, lambda x: 2 * x, {0: (Zero(False), 0), INF: (INF, INF), -INF: (INF, -INF)},
                      [1e-30, 1e30, 1e-160, 1e160])
OPS["sqrt"] = Unary(mpmath.sqrt, lambda x: 1 / (2 * mpmath.sqrt(x)), {0: (0, INF), INF: (INF, 0), -INF: (NAN, NAN)},
                    ["tiny", 1e-30, 1e30], odd=True, outside=lambda x: x < 0)
OPS["rsqrt"] = Unary(lambda x: 1 / mpmath.sqrt(x), lambda x: -1 / (2 * mpmath.sqrt(x) * x),
                     {"+0": (INF, -INF), "-0": (-INF, -INF), INF: (0, 0), -INF: (NAN, NAN)},
                     ["tiny", 1e-30, 1e30, 1e-200, 1e200], outside=lambda x: x < 0)


def cbrt(x):
    return mpmath.sign(x) * mpmath.cbrt(abs(x))


OPS["cbrt"] = Unary(cbrt, lambda x: 1 / (3 * cbrt(x) ** 2), {0: (0, INF), INF: (INF, 0), -INF: (-INF, 0)},
                    ["tiny", "-tiny", 1e-30, 1e30, 1e-200, 1e200], odd=True)


def hypot(a, b):
    """inf where an input is infinite, even beside a NaN (IEEE 754). Both infinite: no direction. (0, 0), a kink: 0."""
    if infinite(a) or infinite(b):
        if infinite(a) and infinite(b) or isnan(a, b):
            return INF, [NAN, NAN]
        return INF, [sign(a), 0] if infinite(a) else [0, sign(b)]
    if isnan(a, b):
        return NAN, [NAN, NAN]
    if a == 0 and b == 0:
        return Zero(False), [0, 0]
    y = mpmath.hypot(exact(a), exact(b))
    return y, [exact(a) / y, exact(b) / y]


OPS["hypot"] = Several(hypot, PAIRS + ["tiny"], PAIRS + ["tiny"])


def whole(x):
    return not infinite(x) and x == int(x)


def power(x, e):
    """C's pow. The slope in x is e x^(e - 1), 0 where x and e are; in e it is y log(x): at x = 0 it is 0 for e >= 0 and
    -inf below (0^e falls from inf); below 0 it is NaN, for a negative number has no powers between whole exponents."""
    value = power_value(x, e)
    if x == 1:
        return value, [wide(e) if not isnan(e) else NAN, 0]
    if isnan(x, e):
        return value, [NAN, NAN]
    slope = times(e, power_value(x, e, 1)) if e != 0 else 0
    if x == 0:
        in_exponent = 0 if e >= 0 else -value
    elif x < 0:
        in_exponent = NAN
    else:  # a power that vanishes does so faster than its logarithm grows
        in_exponent = 0 if is_zero(value) else value * (INF if infinite(x) else log(exact(x)))
    return value, [slope if not is_zero(slope) else 0, in_exponent]


def power_value(x, e, less=0):
    """x^(e - less), less = 1 for the slope, where e - 1 is not rounded."""
    if e == 0 and less == 0 or x == 1 and not (less and isnan(e)):
        return mpf(1)
    if isnan(x, e):
        return NAN
    if infinite(e):
        size = abs(x)
        return mpf(1) if size == 1 else INF if (size > 1) == (e > 0) else Zero(False)
    exponent = exact(e) - less
    if exponent == 0:
        return mpf(1)
    is_odd = exponent == int(exponent) and int(exponent) % 2 == 1
    negative = is_negative(x) and is_odd
    if x == 0 or infinite(x):
        grows = (exponent > 0) == infinite(x)
        return (-INF if negative else INF) if grows else Zero(negative)
    if x < 0 and exponent != int(exponent):
        return NAN
    size = exp(exponent * log(abs(exact(x))))
    return -size if negative else size


def has_no_slope(x, e):
    """-0 at an exponent whose difference from 1 is rounded, for the sign of the slope, an infinity, is lost; and a
    negative number at an infinite exponent, which C takes for an even one."""
    return x == 0 and is_negative(x) and (0 < e < 1e-30 or 1e30 < abs(e)) or x < 0 and infinite(e)


OPS["pow"] = Several(power, ENDS + [1, -1, 0.5, -2.5, "above 1"],
                     [0.0, -0.0, 0.5, -0.5, 1, -1, 2, 3, -2, -3, "smallest", "largest", "-largest", "inf", "-inf",
                      "nan"],
                     without=has_no_slope)

# ---- Trigonometric and hyperbolic functions ----

NO_LIMIT = {INF: (NAN, NAN), -INF: (NAN, NAN)}
TURNS = [1.5, 3, 10, 1e5, 1e30, 1e-3]
OPS["sin"] = Unary(mpmath.sin, mpmath.cos, NO_LIMIT, TURNS, odd=True)
OPS["cos"] = Unary(mpmath.cos, lambda x: -mpmath.sin(x), NO_LIMIT, TURNS)
OPS["tan"] = Unary(mpmath.tan, lambda x: 1 + mpmath.tan(x) ** 2, NO_LIMIT, TURNS + [1.5707963267948966], odd=True)
ARC = ["tiny", "below 1", "-below 1", "above 1", 0.99, -0.99, 1e-10]


def arc_slope(x):
    return 1 / mpmath.sqrt((1 - x) * (1 + x))


def beyond_one(x):
    return abs(x) > 1


OPS["asin"] = Unary(mpmath.asin, arc_slope, {1: (mp.pi / 2, INF), -1: (-mp.pi / 2, INF)} | NO_LIMIT,
                    ARC, odd=True, outside=beyond_one)
OPS["acos"] = Unary(mpmath.acos, lambda x: -arc_slope(x), {1: (0, -INF), -1: (mp.pi, -INF)} | NO_LIMIT,
                    ARC, outside=beyond_one)
OPS["atan"] = Unary(mpmath.atan, lambda x: 1 / (1 + x * x), {INF: (mp.pi / 2, 0), -INF: (-mp.pi / 2, 0)},
                    ["tiny", 1e-10, 1e10, 1e19, 1e20, 1e160], odd=True)


def atan2(a, b):
    """The angle of (b, a). The slopes are b / (a^2 + b^2), -a / (a^2 + b^2). (0, 0), a kink: 0; both infinite: none."""
    if isnan(a, b):
        return NAN, [NAN, NAN]
    if infinite(a) and infinite(b):
        return sign(a) * (mp.pi / 4 if b > 0 else 3 * mp.pi / 4), [NAN, NAN]
    if infinite(b) or a == 0 and b != 0 or a == 0:
        flat = zero_like(a) if not is_negative(b) else sign(a) * mp.pi
    else:
        flat = None
    if infinite(a):
        return sign(a) * mp.pi / 2, [0, 0]
    if infinite(b):
        return flat, [0, 0]
    if a == 0 and b == 0:
        return flat, [0, 0]
    square = exact(a) ** 2 + exact(b) ** 2
    value = flat if flat is not None else mpmath.atan2(exact(a), exact(b))
    return value, [exact(b) / square, -exact(a) / square]


OPS["atan2"] = Several(atan2, PAIRS + ["tiny"], PAIRS + ["tiny"])


def sinh(x):
    return mpmath.sinh(x) if abs(x) < 5000 else sign(x) * INF


def cosh(x):
    return mpmath.cosh(x) if abs(x) < 5000 else INF


HYPERBOLIC = [89, -89, 89.5, 710.4, -710.4, 711, 20, -20, "tiny", 1e-10]
OPS["sinh"] = Unary(sinh, cosh, {INF: (INF, INF), -INF: (-INF, INF)}, HYPERBOLIC, odd=True)
OPS["cosh"] = Unary(cosh, sinh, {INF: (INF, INF), -INF: (INF, -INF)}, HYPERBOLIC)


def sech_squared(x):
    return 4 * exp(-2 * abs(x)) / (1 + exp(-2 * abs(x))) ** 2


def tanh(x):
    return mpmath.tanh(x) if abs(x) < 5000 else sign(x)


OPS["tanh"] = Unary(tanh, sech_squared, {INF: (1, 0), -INF: (-1, 0)},
                    ["tiny"] + [s * x for x in [0.1, 5, 9, 10, 19, 20, 43, 44, 50, 52, 100, 354, 380] for s in (1, -1)],
                    odd=True)
OPS["asinh"] = Unary(mpmath.asinh, lambda x: 1 / mpmath.sqrt(1 + x * x), {INF: (INF, 0), -INF: (-INF, 0)},
                     ["tiny", 1e-10, 1e10, -1e10, 1e19, 1e20, 1e160, -1e160], odd=True)
OPS["acosh"] = Unary(mpmath.acosh, lambda x: 1 / (mpmath.sqrt(x - 1) * mpmath.sqrt(x + 1)),
                     {1: (0, INF), INF: (INF, 0), -INF: (NAN, NAN)}, ["above 1", "below 1", 1e10, 1e20, 1e160],
                     outside=lambda x: x < 1)
OPS["atanh"] = Unary(mpmath.atanh, lambda x: 1 / ((1 - x) * (1 + x)),
                     {1: (INF, INF), -1: (-INF, INF), INF: (NAN, 0), -INF: (NAN, 0)}, ARC, odd=True, outside=beyond_one,
                     continues=True)

# ---- Rounding: steps, whose slope is 0 at the steps too ----


def step(f):
    def of(x):
        if isnan(x):
            return NAN, [NAN]
        if infinite(x):
            return exact(x), [0]
        value = f(exact(x))
        return zero_like(x) if value == 0 else value, [0]

    return of


STEPS = ENDS + MIDDLE + ["tiny", "-tiny", "below 1", "-below 1", 1.5, -1.5, 3.5, 1e10, -1e10]
OPS["floor"] = Several(step(mpmath.floor), STEPS)
OPS["ceil"] = Several(step(mpmath.ceil), STEPS)
OPS["trunc"] = Several(step(lambda x: mpmath.floor(x) if x > 0 else mpmath.ceil(x)), STEPS)
OPS["round"] = Several(step(lambda x: mpf(round(x))), STEPS)  # Python's: halves to even
OPS["sign"] = Several(lambda x: (NAN, [NAN]) if isnan(x) else (0 if x == 0 else sign(x), [0]), STEPS)


def copysign(x, y):
    """|x| with y's sign, a NaN's too. At x = 0, a kink, the slope is 0."""
    if isnan(x):
        return NAN, [NAN, NAN]
    value = zero_like(y) if x == 0 else sign(y) * abs(exact(x))
    return value, [0 if x == 0 else sign(x) * sign(y), 0]


OPS["copysign"] = Several(copysign, PAIRS, [y for y in SECOND if y != "nan"])


def floor_divide(a, b):
    """The floor of the exact quotient; of an infinite one, or one by an infinity, that of IEEE 754's."""
    if isnan(a, b):
        return NAN, [NAN, NAN]
    quotient = over(a, b)
    if not is_zero(quotient) and mpmath.isnan(quotient):
        return NAN, [NAN, NAN]
    if is_zero(quotient):  # -0, not -1, for numbers of different signs by an infinity: the array API says so
        return quotient, [0, 0]
    if mpmath.isinf(quotient):
        return quotient, [0, 0]
    value = mpmath.floor(quotient)
    return value if value != 0 else zero_like(a, b), [0, 0]


OPS["floor_divide"] = Several(floor_divide, PAIRS + [7], SECOND + [3])


def remainder(a, b):
    """a - b floor(a / b), with b's sign (Python's %); where b is infinite: a if it has a's sign, else b."""
    if isnan(a, b) or infinite(a) or b == 0:
        return NAN, [1, minus(floor_divide(a, b)[0])]
    if infinite(b):
        same = a == 0 or is_negative(a) == is_negative(b)
        return (exact(a) if a != 0 else zero_like(b)) if same else exact(b), [1, 0 if same else 1]
    quotient = mpmath.floor(exact(a) / exact(b))
    value = exact(a) - exact(b) * quotient
    return value if value != 0 else zero_like(b), [1, -quotient]


OPS["remainder"] = Several(remainder, PAIRS + [7], SECOND + [3])

# ---- Special functions ----


def erfc(x):
    return mpmath.erfc(x) if abs(x) < 60 else mpf(0) if x > 0 else mpf(2)


def gauss(x):
    """exp(-x^2), 0 where that is below any double."""
    return exp(-x * x) if abs(x) < 1000 else mpf(0)


TAILS = [s * x for x in [3.3, 5.7, 8.9, 10, 12, 15.3, 24.7, 26.5, 28, 40] for s in (1, -1)]
OPS["erf"] = Unary(lambda x: 1 - erfc(x) if abs(x) > 1 else mpmath.erf(x), lambda x: 2 / mpmath.sqrt(mp.pi) * gauss(x),
                   {INF: (1, 0), -INF: (-1, 0)}, TAILS, odd=True)
OPS["erfc"] = Unary(erfc, lambda x: -2 / mpmath.sqrt(mp.pi) * gauss(x), {INF: (0, 0), -INF: (2, 0)}, TAILS)


def log_gamma(x):
    if x == int(x) and x <= 0:
        return INF
    if x < 0:  # by reflection
        return log(mp.pi / abs(mpmath.sin(mp.pi * x))) - mpmath.loggamma(1 - x)
    return mpmath.loggamma(x)


def polygamma(n, x):
    """The n-th derivative of digamma. At the poles: for odd n inf; for even n an infinity of the sign opposite to the
    zero's at 0, and at -1, -2, ..., where the sides differ, NaN."""
    if isnan(x) or x == float("-inf"):
        return NAN
    if x == float("inf"):
        return INF if n == 0 else mpf(0)
    if x == 0:
        return INF if n % 2 else -sign(x) * INF
    if x < 0 and x == int(x):
        return INF if n % 2 else NAN
    z = exact(x)
    if abs(z) < mpf(2) ** -100:  # the leading terms at the pole: (-1)^(n + 1) n! / z^(n + 1), then a constant
        return (-1) ** (n + 1) * mpmath.factorial(n) / z ** (n + 1)
    if abs(z) > mpf(2) ** 60:  # the leading terms at infinity
        if n == 0:
            return log(z) - 1 / (2 * z)
        return (-1) ** (n + 1) * (mpmath.factorial(n - 1) / z**n + mpmath.factorial(n) / (2 * z ** (n + 1)))
    with mp.workprec(400):
        return mpmath.psi(n, z)


GAMMAS = ["tiny", "-tiny", 1e-10, -1e-10, 2, 3, -2, -1.5, 1e5, 1e20, "above 1", 170.5]


def gamma_like(value, slope):
    def of(x):
        if isnan(x):
            return NAN, [NAN]
        return value(x), [slope(x)]

    return of


def log_gamma_value(x):
    if infinite(x):
        return INF  # also at -inf, as C's lgamma
    if x == 0:
        return INF
    if abs(x) > 2**60:  # Stirling; below 0 there are only poles
        return INF if x < 0 else exact(x) * (log(exact(x)) - 1) - log(exact(x) / (2 * mp.pi)) / 2
    with mp.workprec(1500):
        return log_gamma(exact(x))


# Below -2^53 every double is a pole.
OPS["lgamma"] = Several(gamma_like(log_gamma_value, lambda x: polygamma(0, x)), ENDS + MIDDLE + GAMMAS)
OPS["digamma"] = Several(gamma_like(lambda x: polygamma(0, x), lambda x: polygamma(1, x)), ENDS + MIDDLE + GAMMAS)


def polygamma_op(n, x):
    if n != n or infinite(n) or n != int(n) or n < 0 or n > 1000:
        return NAN, [None, NAN]
    return polygamma(int(n), x), [None, polygamma(int(n) + 1, x)]


OPS["polygamma"] = Several(polygamma_op, [0, 1, 2, 3, 10, -1, 0.5, "nan", "inf"],
                           [0.0, -0.0, "smallest", "largest", "inf", "-inf", "nan", 1, 0.5, -0.5, -1, -2.5, 1e10])

# ---- Activations ----


def piecewise(f, points=()):
    """f(x) gives (value, slope) of a finite or infinite x."""
    return Several(lambda x: (NAN, [NAN]) if isnan(x) else (lambda v: (v[0], [v[1]]))(f(exact(x))),
                   ENDS + MIDDLE + list(points))


OPS["relu"] = piecewise(lambda x: (x, 1) if x > 0 else (0, 0))
OPS["relu6"] = piecewise(lambda x: (0, 0) if x <= 0 else (6, 0) if x >= 6 else (x, 1), [6])
OPS["hardsigmoid"] = piecewise(
    lambda x: (0, 0) if x <= -3 else (1, 0) if x >= 3 else ((x + 3) / 6, mpf(1) / 6), [3, -3])
OPS["hardswish"] = piecewise(
    lambda x: (0, 0) if x <= -3 else (x, 1) if x >= 3 else (x * (x + 3) / 6, x / 3 + mpf(1) / 2), [3, -3])
OPS["softsign"] = piecewise(
    lambda x: (mpmath.sign(x), 0) if mpmath.isinf(x) else (x / (1 + abs(x)), 1 / (1 + abs(x)) ** 2),
    ["tiny", 1e20, 1e160])


def leaky_relu(x, slope):
    """Linear in both below 0; the slope is not looked at above."""
    if isnan(x):
        return NAN, [NAN, NAN]
    if x > 0:
        return exact(x), [1, 0]
    value = times(slope, x)
    if not is_zero(value) and mpmath.isnan(value):
        return NAN, [NAN, wide(x)]
    return value, [wide(slope), wide(x)]


OPS["leaky_relu"] = Several(leaky_relu, PAIRS, SECOND + [0.01])


def elu(x, alpha):
    if isnan(x):
        return NAN, [NAN, NAN]
    if x > 0:
        return exact(x), [1, 0]
    below = zero_like(x) if x == 0 else mpf(-1) if infinite(x) else mpmath.expm1(exact(x)) if x > -5000 else mpf(-1)
    rate = 0.0 if infinite(x) else exp(exact(x))
    return times(alpha, below), [times(alpha, rate), below]


# An infinite alpha times exp(-largest), which is 0 in any type, is left out.
OPS["elu"] = Several(elu, PAIRS + [-20, -100], ENDS + [0.5, 1],
                     without=lambda x, alpha: infinite(alpha) and -float("inf") < x < -1000)


def celu(x, alpha):
    """alpha (exp(z) - 1), z = x / alpha, slopes exp(z) and exp(z) - 1 - z exp(z). Where alpha is infinite: x, of slope
    1, and 0. Where alpha is 0: 0 (z = -inf; for alpha = -0, z = inf)."""
    if isnan(x):
        return NAN, [NAN, NAN]
    if x > 0:
        return exact(x), [1, 0]
    if isnan(alpha):
        return NAN, [NAN, NAN]
    z = over(x, alpha)
    if is_zero(z):
        # -0 times an infinite alpha is the limit, x
        return (exact(x) if x != 0 else 0), [1, 0]
    if mpmath.isnan(z):
        return NAN, [NAN, NAN]
    if z == -INF or z < -5000:
        return minus(alpha), [0, -1]
    if z == INF or z > 5000:
        return times(alpha, INF), [INF, -INF]
    return exact(alpha) * mpmath.expm1(z), [exp(z), mpmath.expm1(z) - z * exp(z)]


OPS["celu"] = Several(celu, [x for x in PAIRS] + [-20, -100], ["smallest", "largest", "inf", "nan", 0.5, 1])
SELU_SCALE = mpf("1.0507009873554804934193349852946")
SELU_ALPHA = mpf("1.6732632423543772848170429916717")
OPS["selu"] = piecewise(
    lambda x: (SELU_SCALE * x, SELU_SCALE) if x > 0 else
    (SELU_SCALE * SELU_ALPHA * (-1 if x < -5000 else mpmath.expm1(x)),
     SELU_SCALE * SELU_ALPHA * (0 if x < -5000 else exp(x))), [-20, -100, -750])


def normal_cdf(x):
    return erfc(-x / mpmath.sqrt(mpf(2))) / 2


def normal_density(x):
    return gauss(x / mpmath.sqrt(mpf(2))) / mpmath.sqrt(2 * mp.pi)


def gate(cdf, density):
    """x cdf(x), slope cdf(x) + x density(x): 0 and 0 at -inf, x and 1 at inf."""

    def of(x):
        if x > 10000:
            return x, 1
        if x < -10000:  # 0 from below; beyond any double
            return 0, 0
        return x * cdf(x), cdf(x) + x * density(x)

    return of


GATES = [s * x for x in [5.1, 7.3, 10, 12.7, 20, 36.7, 38, 50, 80, 86, 90, 100, 700, 712, 740, 800] for s in (1, -1)]
OPS["silu"] = piecewise(gate(sigmoid, lambda x: sigmoid(x) * sigmoid(-x)), GATES)
OPS["mish"] = piecewise(
    gate(lambda x: mpmath.tanh(softplus(x)), lambda x: sech_squared(softplus(x)) * sigmoid(x)), GATES)
OPS["gelu"] = piecewise(gate(normal_cdf, normal_density), GATES)


def gelu_tanh_cdf(x):
    return sigmoid(2 * mpmath.sqrt(2 / mp.pi) * (x + mpf(44715) / 10**6 * x**3))


def gelu_tanh_density(x):
    y = gelu_tanh_cdf(x)
    u = 2 * mpmath.sqrt(2 / mp.pi) * (x + mpf(44715) / 10**6 * x**3)
    return y * sigmoid(-u) * 2 * mpmath.sqrt(2 / mp.pi) * (1 + 3 * mpf(44715) / 10**6 * x**2)


# Not its tail: there the roundings of the exponent 2 u cost up to 2 u units of the last place.
OPS["gelu_tanh"] = piecewise(gate(gelu_tanh_cdf, gelu_tanh_density), [3, -3, 20, 700, -700])

# ---- nn: losses and distributions. Left out is where two inputs are infinite and the limit depends on the way ----


def binary_cross_entropy(l, t):
    """softplus(l) - l t: linear in t, so that an infinite logit costs nothing where the target agrees."""
    if isnan(l, t):
        return NAN, [NAN, minus(l) if not isnan(l) else NAN]
    if infinite(l):
        agrees = t == (1 if l > 0 else 0)
        return mpf(0) if agrees else INF, [(1 if l > 0 else 0) - exact(t), -exact(l)]
    z, target = exact(l), exact(t)
    return (1 - target) * softplus(z) + target * softplus(-z), [sigmoid(z) - target, minus(l)]


OPS["binary_cross_entropy_with_logits"] = Several(
    binary_cross_entropy, ENDS + [s * x for x in [1, 15, 20, 88, 100, 700] for s in (1, -1)],
    [0.0, 1, 0.5, "smallest", "below 1", "nan"])


def sigmoid_minus(x, t):
    """sigmoid(x) - t, by sigmoid(-x) = 1 - sigmoid(x) where t is 1: what is left of it there is all of the value."""
    if isnan(x):
        return NAN, [NAN, -1]
    z = exact(x)
    y, rest = (mpf(x > 0), mpf(x < 0)) if infinite(x) else (sigmoid(z), sigmoid(-z))
    return NAN if isnan(t) else (1 - exact(t)) - rest, [y * rest, -1]


OPS["sigmoid_minus"] = Several(sigmoid_minus, ENDS + [s * x for x in [1, 15, 20, 80] for s in (1, -1)],
                               [0.0, 1, 0.5, "nan"])


def squared_error(a, b):
    if isnan(a, b) or infinite(a) and a == b:
        return NAN, [NAN, NAN]
    difference = exact(a) - exact(b)
    return difference**2, [2 * difference, -2 * difference]


OPS["squared_error"] = Several(squared_error, PAIRS + [1e-30], SECOND)


def scaled(difference, log_variance):
    """difference / variance; a difference of 0 is 0 in units of any deviation, the limit at variance 0 too."""
    if difference == 0:
        return mpf(0)
    if abs(log_variance) > 10000:
        return difference * (INF if log_variance < 0 else 0) if mpmath.isfinite(difference) or log_variance < 0 else NAN
    return difference * exp(-log_variance)


def difference_by(share):
    """(a - b) exp(-share v): 0 where a = b, at every variance."""

    def of(a, b, v):
        if isnan(v):
            return NAN, [NAN] * 3
        scale = INF if v < -10000 else mpf(0) if v > 10000 else exp(-share * exact(v))
        if isnan(a, b):
            return NAN, [scale, -scale, NAN]
        d = exact(a) - exact(b)
        y = mpf(0) if d == 0 else d * scale
        return y, [scale, -scale, -share * y]

    return of


DIFFERENCES = [[0.5, 0.0, "largest", "nan"], [0.5, "-largest"],
               [-50, 50, -100, 100, "largest", "-largest", "inf", "-inf", "nan"]]
OPS["difference_by_deviation"] = Several(difference_by(mpf(0.5)), *DIFFERENCES)
OPS["difference_by_variance"] = Several(difference_by(mpf(1)), *DIFFERENCES)


def normal_log_prob(x, mean, v):
    """-(log(2 pi) + v + (x - mean)^2 exp(-v)) / 2. At v = -inf, where x is the mean: inf, slopes 0, 0, -1/2."""
    if isnan(x, mean, v):
        return NAN, [NAN] * 3
    d, v = exact(x) - exact(mean), exact(v)
    square = scaled(d * d, v)
    value = -(log(2 * mp.pi) + v + square) / 2 if mpmath.isfinite(square) else -INF
    return value, [-scaled(d, v), scaled(d, v), (square - 1) / 2]


VARIANCES = [0.0, -89, 89, -100, 100, -200, 200, "largest", "-largest", "inf", "-inf", "nan"]
OPS["normal_log_prob"] = Several(normal_log_prob, [0.5, 0.0, 1e-20, 1e20, "largest", "inf", "-inf", "nan"], [0.5, 0.0],
                                 VARIANCES, without=lambda x, mean, v: infinite(x) and abs(v) > 1e30)


def normal_kl(mean, v, q_mean, w):
    """(exp(r) - 1 - r + (mean - q_mean)^2 exp(-w)) / 2, r = v - w."""
    d, v, w = exact(mean) - exact(q_mean), exact(v), exact(w)
    r, square = v - w, scaled(d * d, w)
    growth = -1 if r < -10000 else INF if r > 10000 else mpmath.expm1(r)
    value = (growth - r + square) / 2 if mpmath.isfinite(growth) else INF
    return value, [scaled(d, w), growth / 2, -scaled(d, w), -(growth + square) / 2]


OPS["normal_kl_divergence"] = Several(
    normal_kl, [0.5, 0.0, 1e-20, 1e15], [0.0, -100, 100, -(2.0**-10), "inf", "-inf"], [0.5],
    [0.0, -100, 100, -200, "inf", "-inf"],
    without=lambda mean, v, q_mean, w: infinite(v) and infinite(w))


def standard_normal_kl(mean, v):
    """Apart in its inputs: (exp(v) - 1 - v) / 2 and mean^2 / 2."""
    slopes = [wide(mean) if not isnan(mean) else NAN, NAN if isnan(v) else mpf(-0.5) if v < -10000 else
              INF if v > 10000 else mpmath.expm1(exact(v)) / 2]
    if isnan(mean, v):
        return NAN, slopes
    of_v = INF if v > 10000 or infinite(v) else (mpmath.expm1(exact(v)) if v > -10000 else -1) - exact(v)
    return (of_v + exact(mean) ** 2) / 2, slopes


OPS["standard_normal_kl_divergence"] = Several(standard_normal_kl, [0.0, "smallest", "largest", "-inf", "nan", 1e-3],
                                               ENDS + [1, -1e-3, 1e-3, 89, -100])


def bernoulli_kl(l, q):
    """p log(p / q) + (1 - p) log((1 - p) / (1 - q)), p and q the sigmoids; slopes p (1 - p) (l - q), q - p."""
    if isnan(l, q):
        return NAN, [NAN, NAN]
    a, b = exact(l), exact(q)
    p = sigmoid(a) if not infinite(l) else mpf(l > 0)
    if infinite(l):
        return softplus(-b if l > 0 else b), [0, sigmoid(b) - p]
    if infinite(q):
        return INF, [-b, mpf(q > 0) - p]
    value = p * (softplus(-b) - softplus(-a)) + sigmoid(-a) * (softplus(b) - softplus(a))
    return value, [p * sigmoid(-a) * (a - b), sigmoid(b) - p]


OPS["bernoulli_kl_divergence"] = Several(
    bernoulli_kl, [0.0, 1, -1, 20, -20, 80, "largest", "-largest", "inf", "-inf", "nan"],
    [0.0, 2.5, -2.5, 20, -20, "largest", "inf", "-inf", "nan"], without=lambda l, q: abs(l) > 1e30 and infinite(q))
OPS["bernoulli_entropy"] = Unary(lambda x: sigmoid(x) * softplus(-x) + sigmoid(-x) * softplus(x),
                                 lambda x: -x * sigmoid(x) * sigmoid(-x), {INF: (0, 0), -INF: (0, 0)}, BOTH)


def continuous_mean(l):
    """1 / (1 - exp(-l)) - 1 / l, and 1/2 at 0: of a density on [0, 1] that is proportional to exp(l x)."""
    if l == 0:
        return mpf(0.5)
    if abs(l) > 5000:
        return mpf(l > 0) - 1 / l
    return -1 / mpmath.expm1(-l) - 1 / l


def continuous_slope(l):
    if abs(l) < mpf(2) ** -400:
        return mpf(1) / 12
    return 1 / l**2 - (1 / (4 * mpmath.sinh(l / 2) ** 2) if abs(l) < 5000 else 0)


# Not between: there the slope, which is derived, is a difference whose digits opcheck counts.
OPS["continuous_bernoulli_mean"] = Unary(
    continuous_mean, continuous_slope, {0: (0.5, mpf(1) / 12), INF: (1, 0), -INF: (0, 0)},
    [s * x for x in [0.01, 0.4, 20, 80, 100, 1e10] for s in (1, -1)], middle=())


def continuous_log_prob(x, l):
    """x l - softplus(l) + log(l / tanh(l / 2)): log(l / (exp(l) - 1)) + x l. At an infinite logit all is at one end."""
    if isnan(x, l):
        return NAN, [NAN if isnan(l) else wide(l), NAN]
    end = mpf(l > 0)
    if infinite(l):
        return INF if x == end else -INF, [exact(l), exact(x) - end]
    z, at = exact(l), exact(x)
    if z == 0:
        return mpf(0), [wide(l), at - mpf(0.5)]
    size = abs(z)
    normalizer = log(size) - (0 if size > 5000 else mpmath.log1p(-exp(-size)))
    tilt = z * (at - 1) if z > 0 else z * at
    return normalizer + tilt, [wide(l), at - continuous_mean(z)]


OPS["continuous_bernoulli_log_prob"] = Several(
    continuous_log_prob, [0.0, 1, 0.5, "below 1", "smallest", "nan"],
    ENDS + [s * x for x in [1e-3, 20, 100] for s in (1, -1)])


def continuous_quantile(u, l):
    """log(1 + u (exp(l) - 1)) / l: 0 and 1 at u = 0 and 1, whatever l is; u at l = 0."""
    if isnan(u, l):
        return NAN, [None, None]
    if u == 0 or u == 1 or l == 0:
        return exact(u), [None, None]
    if infinite(l):
        return mpf(l > 0), [None, None]
    z, at = exact(l), exact(u)
    if z > 0:
        rest = at + (1 - at) * (exp(-z) if z < 5000 else 0)
        return 1 + log(rest) / z, [None, None]
    return mpmath.log1p(at * (mpmath.expm1(z) if z > -5000 else -1)) / z, [None, None]


# Left out is the end of [0, 1] that has no probability at an infinite logit.
OPS["continuous_bernoulli_quantile"] = Several(
    continuous_quantile, [0.0, 1, 0.5, "below 1", "nan"], ENDS + [s * x for x in [1e-3, 1, 20, 100] for s in (1, -1)],
    without=lambda u, l: infinite(l) and u == (0 if l > 0 else 1))

# ---- Ops on whole arrays, here of 2 to 4 elements ----


class Structured:
    """f(*elements) gives (values, derivatives): of the sum of all values, or of each value in turn, in each element. A
    case lists the elements of all inputs. "op.variant" is one way to call an op: how, says tests/ops/extremes_test.cpp."""

    def __init__(self, f, given):
        self.f, self.given = f, list(given)

    def rows(self, name):
        for kind in (FLOAT, DOUBLE):
            for elements in self.given:
                numbers = [point(x, kind) for x in elements]
                values, derivatives = self.f(*numbers)
                left = " ".join(text(x) for x in numbers)
                print(f"{name} {kind.letter} {left} = {' '.join(result_text(unsigned(x), kind) for x in values)} : "
                      f"{' '.join(result_text(unsigned(x), kind) for x in derivatives)}")


FEW = [0.0, "smallest", "largest", "-largest", "inf", "-inf", "nan"]
TWO = list(itertools.product(FEW, FEW))

# Sums: every one overflows alone.
for name in ["sum", "sum_to", "untake", "untake_along_axis"]:
    OPS[name] = Structured(lambda a, b: ([plus(a, b)], [1, 1]), TWO)
OPS["trace"] = Structured(lambda a, b, c, d: ([plus(a, d)], [1, 0, 0, 1]), [(a, "nan", "inf", d) for a, d in TWO])
OPS["fold"] = Structured(lambda a, b, c, d: ([wide(a), plus(b, c), wide(d)], [1] * 4), [(a, a, b, b) for a, b in TWO])
OPS["cumulative_sum"] = Structured(lambda a, b: ([wide(a), plus(a, b)], [2, 1]), TWO)
# Means: the sum may overflow where the mean does not.
for name in ["mean", "avg_pool2d"]:
    OPS[name] = Structured(lambda a, b: ([over(plus(a, b), 2.0)], [0.5, 0.5]), TWO)


# Sums of products.
def dot(a0, a1, b0, b1):
    return [plus(times(a0, b0), times(a1, b1))], [wide(b0), wide(b1), wide(a0), wide(a1)]


DOTS = [a + b for a in [(1, 2.5), ("largest", 1), ("smallest", "smallest"), (0.0, 1), ("inf", 1), ("-largest", "nan")]
        for b in [(1, -2.5), ("smallest", 0.0), ("inf", 1), ("largest", "smallest"), ("-inf", "-largest")]]
for name in ["vecdot", "matmul", "einsum", "tensordot", "conv2d"]:
    OPS[name] = Structured(dot, DOTS)


def linear(x0, x1, w0, w1, bias):
    (product,), slopes = dot(x0, x1, w0, w1)
    return [plus(product, bias)], slopes + [1]


OPS["linear"] = Structured(linear, [each + (bias,) for each in DOTS for bias in (0.0, "-inf")
                                      if (each[0], each[2], bias) != ("largest", "largest", "-inf")])  # inf - inf
for name in ["outer", "conv_transpose2d", "conv2d_weight"]:
    OPS[name] = Structured(lambda a, b: ([times(a, b)], [wide(b), wide(a)]), TWO)
OPS["prod"] = Structured(lambda a, b, c: ([times(times(a, b), c)], [times(b, c), times(a, c), times(a, b)]),
                         [(a, 1, b) for a, b in TWO] +
                         [(0.0, 0.0, 3), (0.0, 3, "smallest"), ("largest", "smallest", 0.5)])
OPS["cumulative_prod"] = Structured(lambda a, b: ([wide(a), times(a, b)], [plus(1.0, b), wide(a)]), TWO)
OPS["linear_recurrence"] = Structured(  # y0 = b0, y1 = a1 b0 + b1
    lambda a0, a1, b0, b1: ([wide(b0), plus(times(a1, b0), b1)], [0, wide(b0), plus(1.0, a1), 1]),
    [(1, a, b, c) for a, b in TWO for c in (0.0, 1)])


# The largest and smallest: equal ones share the gradient. A NaN is both the largest and the smallest.
def extreme(way):
    def of(a, b):
        value, slopes = larger(a, b, way)
        return [value], slopes

    return of


OPS["max"] = OPS["max_pool2d"] = Structured(extreme(1), [each for each in TWO if "nan" not in each])
OPS["min"] = Structured(extreme(-1), [each for each in TWO if "nan" not in each])


def place(way):
    def of(a, b):
        second = not isnan(a) and (isnan(b) or b * way > a * way)
        return [mpf(second)], [None, None]

    return of


OPS["argmax"] = Structured(place(1), TWO)
OPS["argmin"] = Structured(place(-1), TWO)
OPS["count_nonzero"] = Structured(lambda a, b: ([mpf((a != 0) + (b != 0))], [None, None]), TWO)
OPS["any"] = Structured(lambda a, b: ([mpf(a != 0 or b != 0)], [None, None]), TWO)
OPS["all"] = Structured(lambda a, b: ([mpf(a != 0 and b != 0)], [None, None]), TWO)


# Statistics of two numbers are those of half their difference.
def half_difference(a, b):
    return NAN if isnan(a, b) or infinite(a) or infinite(b) else (exact(a) - exact(b)) / 2


def variance(a, b):
    """An infinity makes a NaN of the value, as in NumPy; the slope of the other element, its distance from the mean, is
    infinite."""
    d = half_difference(a, b)
    if not isnan(a, b) and infinite(a) != infinite(b):
        return [NAN], [NAN if infinite(x) else -exact(other) for x, other in ((a, b), (b, a))]
    return [d * d], [d, -d]


def deviation(a, b):
    d = half_difference(a, b)
    return [abs(d)], [NAN, NAN] if mpmath.isnan(d) else [mpmath.sign(d) / 2, -mpmath.sign(d) / 2]


MORE = TWO + [(1, -2.5), (1e20, -1e20), (1e-30, -1e-30), (1e160, -1e160)]
OPS["var"] = Structured(variance, [each for each in MORE])
OPS["stddev"] = Structured(deviation, MORE)


def norm(order):
    """The limit where one element is infinite; where both are there is none, but for order 1, whose slopes are signs,
    and for the largest size, which equal ones share: there a size of 0 has the slope 0, its kink's, beside NaN too."""

    def of(a, b):
        if isnan(a, b):
            alone = {1: lambda x: mpf((x > 0) - (x < 0)), INF: lambda x: 0 if x == 0 else NAN}
            return [NAN], [NAN if isnan(x) else alone.get(order, lambda x: NAN)(x) for x in (a, b)]
        signs = [mpf((x > 0) - (x < 0)) for x in (a, b)]
        size, other = abs(exact(a)), abs(exact(b))
        if order == 1:
            return [size + other], signs
        if order == INF:  # equal ones share
            share = [mpf(0.5)] * 2 if size == other else [mpf(size > other), mpf(other > size)]
            return [max(size, other)], [s * n for s, n in zip(signs, share)]
        if infinite(a) or infinite(b):
            return [INF], [NAN] * 2 if infinite(a) and infinite(b) else [signs[0] * infinite(a), signs[1] * infinite(b)]
        if a == 0 and b == 0:
            return [0], [0, 0]
        y = mpmath.root(size**order + other**order, order)
        return [y], [s * (n / y) ** (order - 1) for s, n in zip(signs, (size, other))]

    return of


NORMED = MORE + [("tiny", "tiny"), ("tiny", 0.0)]
OPS["vector_norm.1"] = Structured(norm(1), MORE)
OPS["vector_norm.2"] = Structured(norm(2), NORMED)
OPS["vector_norm.3"] = Structured(norm(3), NORMED)
OPS["vector_norm.inf"] = Structured(norm(INF), MORE)

LAYER_EPSILON = mpf(2) ** -17


def layer_norm(a, b):
    """d / sqrt(d^2 + epsilon) and its negative, d half the difference. Where d^2 is larger than epsilon, the slope is a
    small difference of large terms, of which a type keeps no digits: not compared."""
    d = half_difference(a, b)
    if mpmath.isnan(d):
        return [NAN] * 2, [NAN] * 4
    y = d / mpmath.sqrt(d * d + LAYER_EPSILON)
    slope = LAYER_EPSILON / (2 * mpmath.sqrt(d * d + LAYER_EPSILON) ** 3)
    return [y, -y], [slope, -slope, -slope, slope] if d * d <= LAYER_EPSILON else [UNCHECKED] * 4


OPS["layer_norm"] = Structured(layer_norm, MORE + [(1e-3, 0.0), (1e30, 2e30)])


# The softmax family. One infinite logit takes all, in the limit. Several of them, and none above -inf, are kinks.
def probabilities(xs):
    if any(x == float("inf") for x in xs):
        return [mpf(x == float("inf")) for x in xs]
    top = max(exact(x) for x in xs)
    weights = [exp(exact(x) - top) if not infinite(x) else mpf(0) for x in xs]
    return [w / sum(weights) for w in weights]


def log_of_sum(xs):
    top = max(exact(x) for x in xs)
    if mpmath.isinf(top):
        return top
    return top + log(sum(exp(exact(x) - top) if not infinite(x) else mpf(0) for x in xs))


def log_probability(xs, k):
    """log p_k without the cancellation of a difference: -log(1 + sum of exp(x_j - x_k)) for the others j."""
    if infinite(xs[k]) or any(x == float("inf") for x in xs):
        return mpf(0) if xs[k] > 0 and infinite(xs[k]) else -INF
    return exact(xs[k]) - log_of_sum(xs)


def softmax(*xs):
    n = len(xs)
    if isnan(*xs):
        return [NAN] * n, [NAN] * (n * n)
    p = probabilities(xs)
    return p, [p[i] * ((i == j) - p[j]) for i in range(n) for j in range(n)]


def log_softmax(*xs):
    n = len(xs)
    if isnan(*xs):
        return [NAN] * n, [NAN] * (n * n)
    p = probabilities(xs)
    others = [sum(p[j] for j in range(n) if j != i) for i in range(n)]
    slopes = [others[i] if i == j else -p[j] for i in range(n) for j in range(n)]
    return [log_probability(xs, i) for i in range(n)], slopes


def logsumexp(*xs):
    if isnan(*xs):
        return [NAN], [NAN] * len(xs)
    if all(x == float("-inf") for x in xs):
        return [-INF], [0] * len(xs)  # a kink
    return [log_of_sum(xs)], probabilities(xs)


def cross_entropy(*xs):
    """-log p of the first class."""
    if isnan(*xs):
        return [NAN], [NAN] * len(xs)
    p = probabilities(xs)
    return [-log_probability(xs, 0)], [-sum(p[1:])] + p[1:]


def share_of_sum(part, whole, of_part, of_whole):
    """exp(part - whole), and of an infinite whole the share of the infinite elements that are the part."""
    if whole == float("inf"):
        y = exact(of_part) / exact(of_whole)
    elif isnan(part, whole):
        y = NAN
    elif infinite(part):
        y = mpf(0)
    else:
        y = exp(exact(part) - (0 if whole == float("-inf") else exact(whole)))
    return y, [y, -y, None, None]


OPS["share_of_sum"] = Several(share_of_sum, [0.0, -5, "-largest", "-inf", "nan"],
                              [0.0, 0.5, "largest", "inf", "-inf", "nan"], [0.0, 1], [2])


def logcumsumexp(a, b):
    """An element that is -inf has the gradient 0. What comes after a NaN is NaN."""
    (last,), slopes = logsumexp(a, b)
    first = NAN if isnan(a) else mpf(a != float("-inf"))
    return [wide(a), last], [first, 0 if not isnan(a) else NAN] + slopes


LOGITS = [(a, b, 0.5) for a, b in itertools.product([0.0, 20, -20, "largest", "-largest", "inf", "-inf", "nan"],
                                                    repeat=2) if (a, b) != ("inf", "inf")]
OPS["softmax"] = Structured(softmax, LOGITS)
OPS["log_softmax"] = Structured(log_softmax, LOGITS)
OPS["cross_entropy"] = Structured(cross_entropy, LOGITS)
SUMMED = [each for each in TWO + [(0.0, 20), (20, 0.0), (0.0, -100), (100, 0.0)] if each != ("inf", "inf")]
OPS["logsumexp"] = Structured(logsumexp, SUMMED)
OPS["logcumsumexp"] = Structured(logcumsumexp, [each for each in SUMMED if "nan" not in each])

# Linear algebra on 2 x 2 matrices (a, b; c, d): diagonal ones of any size, and small ones with known inverses. One that
# holds an infinity or a NaN makes all of the result NaN.
SIZES = [("largest", "smallest"), ("smallest", "smallest"), ("largest", "largest"), (1, "largest"), ("smallest", 1),
         (1e-20, 1e20), (2, 4), (1e-30, 1e-30), (1e30, 1e30)]
DIAGONAL = [(a, 0.0, 0.0, d) for a, d in SIZES]
FULL = [(1, 2, 3, 4), (2, 1, 1, 2), (4, 1, 2, 1)]
WITHOUT_END = [("inf", 0.0, 0.0, 1), (1, "nan", 0.0, 1), (1, 0.0, 0.0, "-inf")]


def finite(*xs):
    return not isnan(*xs) and not any(infinite(x) for x in xs)


def inverse(a, b, c, d):
    a, b, c, d = (exact(x) for x in (a, b, c, d))
    determinant = a * d - b * c
    return [[d / determinant, -b / determinant], [-c / determinant, a / determinant]]


def inv(a, b, c, d):
    """The slope of y_ij in a_kl is -y_ik y_lj."""
    if not finite(a, b, c, d):
        return [NAN] * 4, [UNCHECKED] * 16
    y = inverse(a, b, c, d)
    both = list(itertools.product(range(2), repeat=2))
    return [y[i][j] for i, j in both], [-y[i][k] * y[l][j] for i, j in both for k, l in both]


def determinant(a, b, c, d):
    if not finite(a, b, c, d):
        return [NAN], [UNCHECKED] * 4
    a, b, c, d = (exact(x) for x in (a, b, c, d))
    return [a * d - b * c], [d, -c, -b, a]


def log_determinant(a, b, c, d):
    if not finite(a, b, c, d):
        return [NAN], [UNCHECKED] * 4
    y = inverse(a, b, c, d)
    return [log(abs(exact(a) * exact(d) - exact(b) * exact(c)))], [y[0][0], y[1][0], y[0][1], y[1][1]]


def solve(a, b, c, d, e, f):
    """y = a^-1 b: the slope of y_k in a_ij is -h_ki y_j, in b_i h_ki, h the inverse."""
    if not finite(a, b, c, d, e, f):
        return [NAN] * 2, [UNCHECKED] * 12
    h = inverse(a, b, c, d)
    y = [h[k][0] * exact(e) + h[k][1] * exact(f) for k in range(2)]
    return y, [each for k in range(2) for each in [-h[k][i] * y[j] for i in range(2) for j in range(2)] + h[k]]


def cholesky(a, b, c, d):
    """Of a diagonal matrix: the roots. The element below the diagonal is (b + c) / 2 / sqrt(a)."""
    root, other = mpmath.sqrt(exact(a)), mpmath.sqrt(exact(d))
    return [root, 0, 0, other], [1 / (2 * root), 0, 0, 0] + [0] * 4 + [0, 1 / (2 * root), 1 / (2 * root), 0] + \
        [0, 0, 0, 1 / (2 * other)]


def eigenvalues(a, b, c, d):
    """Of a diagonal matrix, or of (2, 1; 1, 2): 1 and 3, with the vectors (1, -1) and (1, 1) / sqrt(2)."""
    if not finite(a, b, c, d):
        return [NAN] * 2, [UNCHECKED] * 8
    if b != 0:
        return [1, 3], [0.5, -0.5, -0.5, 0.5] + [0.5] * 4
    first, second = [1, 0, 0, 0], [0, 0, 0, 1]
    return ([exact(a), exact(d)], first + second) if a < d else ([exact(d), exact(a)], second + first)


OPS["inv"] = Structured(inv, [each for each in DIAGONAL if "largest" not in each] + FULL + WITHOUT_END)
OPS["det"] = Structured(determinant, DIAGONAL + FULL + WITHOUT_END)
OPS["slogdet"] = Structured(log_determinant, [each for each in DIAGONAL if each[0] != 1e-20] + FULL + WITHOUT_END)
OPS["solve"] = Structured(solve, [each + (1, 3) for each in DIAGONAL + FULL if "largest" not in each] +
                          [(2, 0.0, 0.0, 4, "inf", 1), (1e20, 0.0, 0.0, 1e20, 1e20, 1e20)] +
                          [each + (1, 1) for each in WITHOUT_END])
OPS["cholesky"] = Structured(cholesky, DIAGONAL)
# Eigenvalues are right in units of the largest one: those far below it have no digits.
APART = [("smallest", 0.0), (0.0, "smallest"), ("-largest", "largest"), (2, 4), (1e20, 2e20), (1e-30, 2e-30)]
UNEQUAL = [(a, 0.0, 0.0, d) for a, d in APART] + [(2, 1, 1, 2)] + WITHOUT_END
OPS["eigvalsh"] = Structured(eigenvalues, UNEQUAL)
OPS["eigh"] = Structured(eigenvalues, UNEQUAL)

if __name__ == "__main__":
    print("# Made by make_extremes.py. Op, f(loat) or d(ouble), inputs = values : derivatives of each in each input")
    for name, op in OPS.items():
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            op.rows(name)
