// Every op on shapes, parameters and values that RapidCheck generates and, where one fails, shrinks: values against the
// references of its spec, both modes of differentiation against each other, gradients against differences. The inputs
// chosen with care, and all else that is the same for all ops, are opcheck's.
#include <fmt/format.h>

#include <algorithm>
#include <autograd/check/gradcheck.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "rapidcheck.h"
#include "tests/specs/instances.hpp"
#include "tests/specs/registry.hpp"
#include "tests/testing.hpp"

namespace {

using namespace autograd;
using specs::broadcast_source;
using specs::flat_index;
using specs::Index;
using specs::index_at;
using specs::Instance;
using specs::signed_of;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
template <class T>
constexpr double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());

using Values = std::vector<double>;
using Domain = OpDomain;

// ---- What is generated ----

struct Case {
    std::vector<Shape> shapes;
    std::vector<Values> values;        ///< of each input, floats all of them
    std::vector<std::size_t> choices;  ///< what an op makes of them is its own: axes, flags, counts
    std::size_t least_rank = 0;        ///< below which shrinking does not go
    int order = 0;                     ///< of the derivatives to compare with differences; 0: none
    bool special = false;              ///< holds zeros, infinities, NaN: only the value is compared
};

void showValue(const Case& shown, std::ostream& stream) {  // the name that RapidCheck asks for
    for (std::size_t k = 0; k < shown.shapes.size(); ++k) {
        stream << fmt::format("input {} of shape {}: {{{}}}\n", k, to_string(shown.shapes[k]),
                              fmt::join(shown.values[k], ", "));
    }
    stream << fmt::format("choices {{{}}}, order {}{}", fmt::join(shown.choices, ", "), shown.order,
                          shown.special ? ", special values" : "");
}

class Source {
   public:
    explicit Source(rc::Random random) : random_(random) {}
    std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_.next() % count); }
    bool one_in(std::size_t count) { return below(count) == 0; }
    template <class List>
    auto any_of(const List& list) {
        return list.begin()[below(list.size())];
    }

   private:
    rc::Random random_;
};

/// Rank 0 to `max_rank`, and not more than some hundred elements.
Shape any_shape(Source& source, std::size_t max_rank = 4, bool may_be_empty = true) {
    constexpr std::size_t most = 160;
    Shape shape;
    std::size_t count = 1;
    for (std::size_t rank = source.below(max_rank + 1); rank > 0; --rank) {
        std::size_t extent = source.any_of(std::initializer_list<std::size_t>{1, 2, 3, 5, 9, 17});
        if (may_be_empty && source.one_in(20)) extent = 0;
        if (extent * count > most) extent = 1 + source.below(2);
        count *= std::max<std::size_t>(extent, 1);
        shape.push_back(extent);
    }
    return shape;
}

/// A shape that broadcasts to `space`.
Shape part_of(Source& source, const Shape& space) {
    if (source.one_in(3)) return space;
    const std::size_t dropped = source.one_in(2) ? source.below(space.size() + 1) : 0;
    Shape shape(space.begin() + signed_of(dropped), space.end());
    for (std::size_t& extent : shape) {
        if (source.one_in(3)) extent = 1;
    }
    return shape;
}

/// What values are shrunk to: different for each input, and away from 0 and whole numbers, where kinks are.
double simple_number(Domain domain, std::size_t input) {
    return domain.low + (domain.high - domain.low) * (41.0 / 64 + static_cast<double>(input) / 16);
}

/// In the domain, with `edges` one in ten at its ends.
double any_number(Source& source, Domain domain, bool edges) {
    constexpr std::size_t steps = 1 << 20;
    std::size_t step = source.below(steps + 1);
    if (edges && source.one_in(10)) step = source.one_in(2) ? 0 : steps;
    const double number = domain.low + (domain.high - domain.low) * static_cast<double>(step) / steps;
    const auto narrow = static_cast<float>(number);  // which may be rounded out of the domain
    return double{narrow} < domain.low || double{narrow} > domain.high ? number : double{narrow};
}

double any_special(Source& source) {
    return source.any_of(std::initializer_list<double>{0.0, -0.0, infinity, -infinity, not_a_number, 0.5, 1, -1, 2, -2.5, 3});
}

Values any_values(Source& source, const Shape& shape, Domain domain, bool special, bool edges = true) {
    Values values(element_count(shape));
    for (double& each : values) {
        each = special && source.one_in(3) ? any_special(source) : any_number(source, domain, edges);
    }
    return values;
}

/// The first elements of each axis, as many as the new shape has; or all in a shape without leading ones.
Values cropped(const Values& from, const Shape& old_shape, const Shape& new_shape) {
    Values to(element_count(new_shape));
    for (std::size_t i = 0; i < to.size(); ++i) {
        Index index(old_shape.size(), 0);
        const Index given = index_at(i, new_shape);
        std::copy(given.begin(), given.end(), index.end() - signed_of(given.size()));
        to[i] = from[flat_index(index, old_shape)];
    }
    return to;
}

/// Simpler cases: fewer axes and smaller extents in all inputs that have them, simpler choices, simpler values.
template <class Simple>
rc::Seq<Case> simpler(const Case& from, Simple simple_value) {
    std::vector<Case> found;
    std::size_t rank = 0;
    for (const Shape& shape : from.shapes) rank = std::max(rank, shape.size());
    const auto crop = [&](auto change) {
        Case to = from;
        for (std::size_t k = 0; k < to.shapes.size(); ++k) {
            change(to.shapes[k]);
            to.values[k] = cropped(from.values[k], from.shapes[k], to.shapes[k]);
        }
        if (to.shapes != from.shapes) found.push_back(std::move(to));
    };
    for (std::size_t from_last = rank; from_last > 0; --from_last) {  // axes are counted as in broadcasting
        for (const std::size_t divisor : {0u, 2u, 1u}) {
            crop([&](Shape& shape) {
                if (shape.size() < from_last) return;
                std::size_t& extent = shape[shape.size() - from_last];
                if (extent > 1) extent = divisor == 0 ? 1 : divisor == 1 ? extent - 1 : extent / 2;
            });
        }
    }
    crop([&](Shape& shape) {
        const bool is_removable = shape.size() == rank && rank > from.least_rank && shape[0] == 1;
        if (is_removable) shape = Shape(shape.begin() + 1, shape.end());
    });
    for (std::size_t k = 0; k < from.choices.size(); ++k) {
        for (const std::size_t choice : {std::size_t{0}, from.choices[k] / 2, from.choices[k] - 1}) {
            if (choice >= from.choices[k]) continue;
            found.push_back(from);
            found.back().choices[k] = choice;
        }
    }
    if (from.order > 0) {
        found.push_back(from);
        --found.back().order;
    }
    const auto differs = [](double a, double b) { return !(a == b && std::signbit(a) == std::signbit(b)); };
    for (std::size_t k = 0; k < from.values.size(); ++k) {
        const double simple = simple_value(k);
        if (std::none_of(from.values[k].begin(), from.values[k].end(), [&](double x) { return differs(x, simple); })) {
            continue;
        }
        found.push_back(from);
        std::fill(found.back().values[k].begin(), found.back().values[k].end(), simple);
        for (std::size_t i = 0; i < from.values[k].size(); ++i) {
            if (!differs(from.values[k][i], simple)) continue;
            found.push_back(from);
            found.back().values[k][i] = simple;
        }
    }
    return rc::seq::fromContainer(std::move(found));
}

template <class Make, class Simple>
rc::Gen<Case> cases(Make make, Simple simple_value) {
    return [=](const rc::Random& random, int) {
        Source source(random);
        return rc::shrinkable::shrinkRecur(make(source), [=](const Case& each) { return simpler(each, simple_value); });
    };
}

struct Silent : rc::detail::TestListener {
    void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
    void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
    void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

/// Runs check(case), which returns what is wrong or "", on `count` cases, always the same.
template <class Check>
void for_all(const std::string& name, const rc::Gen<Case>& gen, int count, Check check) {
    const auto property = [&] {
        const Case each = *gen;
        std::string failure;
        try {
            failure = check(each);
        } catch (const std::exception& error) {
            failure = std::string("it threw: ") + error.what();
        }
        if (!failure.empty()) RC_FAIL(name + ": " + failure);
    };
    rc::detail::TestParams params;
    params.seed = 20240607;
    params.maxSuccess = count;
    Silent silent;
    const auto result = rc::detail::checkTestable(property, rc::detail::TestMetadata{name, name}, params, silent);
    std::ostringstream text;
    rc::detail::printResultMessage(result, text);
    INFO(name << ": " << text.str());
    CHECK(result.template is<rc::detail::SuccessResult>());
}

// ---- What is checked of any op ----

/// NaN equals NaN, an infinity only itself.
bool close(double found, double expected, double tolerance) {
    if (std::isnan(expected)) return std::isnan(found);
    if (std::isinf(expected)) return found == expected;
    return std::fabs(found - expected) <= tolerance;
}

template <class T>
Array<T> array_of(const Shape& shape, const Values& values) {
    Array<T> array = empty<T>(shape);
    std::transform(values.begin(), values.end(), array.data(), [](double each) { return static_cast<T>(each); });
    return array;
}

template <class T>
std::vector<Var<T>> variables(Tape<T>& tape, const Case& from) {
    std::vector<Var<T>> inputs;
    for (std::size_t k = 0; k < from.shapes.size(); ++k) {
        inputs.push_back(tape.variable(array_of<T>(from.shapes[k], from.values[k])));
    }
    return inputs;
}

double dot(const Array<double>& a, const Array<double>& b) {
    double total = 0;
    for (std::size_t i = 0; i < a.size(); ++i) total += a.data()[i] * b.data()[i];
    return total;
}

using Gradients = std::vector<std::optional<Array<double>>>;

/// Of the weighted sum of y; float ones as double.
template <class T>
Gradients gradients_of_sum(const Var<T>& y, const std::vector<Var<T>>& inputs) {
    Gradients result(inputs.size());
    const Var<T> loss = sum(y * y.tape().constant(sample<T>(y.shape(), 3)));
    if (!y.tape().node(loss.index()).needs_gradient) return result;
    const auto gradients = backward(loss);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (const Array<T>* each = gradients.find(inputs[k])) result[k] = Array<double>(*each);
    }
    return result;
}

/// <u, J v> = <J' u, v>, v moving all inputs that have gradients at once, and gradients of the inputs' shapes.
std::string dot_product(const Var<double>& y, const std::vector<Var<double>>& inputs, const Gradients& gradients) {
    const Array<double> weights = sample<double>(y.shape(), 3);
    std::vector<Direction<double>> directions;
    double reverse = 0, size = 1;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        const Array<double> direction = sample<double>(inputs[k].shape(), 11 + static_cast<int>(k));
        directions.emplace_back(inputs[k], direction);
        if (!gradients[k]) continue;
        if (gradients[k]->shape() != inputs[k].shape()) {
            return fmt::format("the gradient of input {} has shape {}", k, to_string(gradients[k]->shape()));
        }
        reverse += dot(*gradients[k], direction);
        size += std::sqrt(dot(*gradients[k], *gradients[k]) * dot(direction, direction));
    }
    const auto tangent = find_tangent(y, std::span<const Direction<double>>(directions));
    const bool any = std::any_of(gradients.begin(), gradients.end(), [](const auto& each) { return each.has_value(); });
    if (tangent.has_value() != any) return "one mode finds no derivative, the other does";
    if (!tangent) return "";
    if (tangent->shape() != y.shape()) return "the tangent has shape " + to_string(tangent->shape());
    const double forward = dot(weights, *tangent);
    if (close(forward, reverse, 1e-12 * size)) return "";
    return fmt::format("forward mode gives {}, reverse mode {}", forward, reverse);
}

std::string differences(const OpCall& call, const Case& at, const std::vector<bool>& held) {
    std::vector<Array<double>> free;
    for (std::size_t k = 0; k < at.shapes.size(); ++k) {
        if (!held[k]) free.push_back(array_of<double>(at.shapes[k], at.values[k]));
    }
    const auto f = [&](std::span<const Var<double>> v) {
        std::vector<Var<double>> inputs;
        for (std::size_t k = 0, next = 0; k < at.shapes.size(); ++k) {
            inputs.push_back(held[k] ? v.front().tape().constant(array_of<double>(at.shapes[k], at.values[k])) : v[next++]);
        }
        return call(std::span<const Var<double>>(inputs));
    };
    const auto report = gradcheck_list(f, free, {.order = at.order, .directions = 1});
    return report ? "" : report.text();
}

// ---- Elementwise ops ----

Case elementwise_case(Source& source, const OpSpec& spec) {
    Case made;
    made.order = source.one_in(24) ? 2 : source.one_in(8) ? 1 : 0;
    made.special = made.order == 0 && source.one_in(3);
    const Shape space = any_shape(source, made.order > 0 ? 2 : 4);
    for (std::size_t k = 0; k < spec.arity; ++k) {
        made.shapes.push_back(spec.arity == 1 ? space : part_of(source, space));
        // Not at the edges where order 2 is checked: two inputs there are equal, a kink of maximum.
        made.values.push_back(any_values(source, made.shapes[k], spec.domain[k], made.special, made.order < 2));
    }
    return made;
}

struct ElementwiseCheck {
    const OpSpec& spec;

    template <class T>
    double unit(double expected) const {  // as opcheck has it
        const double smallest = static_cast<double>(std::numeric_limits<T>::min());
        // digamma's reference adds terms up to 4 in long double, which near the root at 1.46 cancel.
        if ((spec.name == "digamma" || spec.name == "polygamma") && std::fabs(expected) < 0.01) {
            return 16 * static_cast<double>(std::numeric_limits<long double>::epsilon()) +
                   spec.ulps * epsilon<T> * std::fabs(expected);
        }
        return spec.ulps * epsilon<T> * std::max(std::fabs(expected), smallest) + 0.5 * epsilon<double> * std::fabs(expected);
    }

    template <class T>
    std::string value(const Case& at, const Var<T>& y) const {
        const char* type = sizeof(T) == sizeof(float) ? "float" : "double";
        Shape shape;
        for (const Shape& each : at.shapes) shape = broadcast_shapes(shape, each);
        if (y.shape() != shape) return fmt::format("in {} the value has shape {}", type, to_string(y.shape()));
        const bool propagates = std::string_view(spec.documentation.nan) == Documentation{}.nan;
        for (std::size_t i = 0; i < element_count(shape); ++i) {
            const Index index = index_at(i, shape);
            std::array<double, OpOracle::max_inputs> x{};
            bool nan_comes_in = false;
            for (std::size_t k = 0; k < spec.arity; ++k) {
                const std::size_t place = flat_index(broadcast_source(index, at.shapes[k]), at.shapes[k]);
                x[k] = double{static_cast<T>(at.values[k][place])};
                nan_comes_in |= std::isnan(x[k]) && !spec.in_double->cuts(k);
            }
            const double expected = nan_comes_in && propagates ? not_a_number : spec.reference(x.data());
            const double found = static_cast<double>(y.value().data()[i]);
            // Outside of the domains terms may cancel, as in logaddexp(-1, -0.49), to the rounding of their own size.
            double size = std::fabs(expected);
            for (std::size_t k = 0; k < spec.arity && spec.arity > 1; ++k) {
                const auto [low, high] = spec.domain[k];
                if (std::isfinite(x[k]) && (x[k] < low || x[k] > high)) size = std::max(size, std::fabs(x[k]));
            }
            if (close(found, expected, unit<T>(expected) + spec.ulps * epsilon<T> * (size - std::fabs(expected)))) {
                continue;
            }
            return fmt::format("in {} element {} is {}, the reference of {} gives {}", type, i, found,
                               fmt::join(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(spec.arity), ", "), expected);
        }
        return "";
    }

    std::string operator()(const Case& at) const {
        Tape<float> in_float;
        Tape<double> in_double;
        const auto narrow = variables(in_float, at);
        const auto wide = variables(in_double, at);
        const auto z = spec.call(std::span<const Var<float>>(narrow));
        const auto y = spec.call(std::span<const Var<double>>(wide));
        std::string failure = value(at, z);
        if (failure.empty()) failure = value(at, y);
        if (!failure.empty()) return failure;
        const Gradients gradients = gradients_of_sum(y, wide), float_gradients = gradients_of_sum(z, narrow);
        std::vector<bool> held;
        bool all_cut = true;
        for (std::size_t k = 0; k < spec.arity; ++k) {
            held.push_back(spec.domain[k].low == spec.domain[k].high);
            all_cut &= spec.in_double->cuts(k);
            if (gradients[k].has_value() == spec.in_double->cuts(k) ||
                gradients[k].has_value() != float_gradients[k].has_value()) {
                return fmt::format("whether input {} gets a gradient", k);
            }
            if (!gradients[k]) continue;
            if (gradients[k]->shape() != at.shapes[k] || float_gradients[k]->shape() != at.shapes[k]) {
                return fmt::format("the gradient of input {} has shape {}, in float {}", k, to_string(gradients[k]->shape()),
                                   to_string(float_gradients[k]->shape()));
            }
            if (at.special) continue;
            // The same roundings as opcheck allows for each of the terms of a sum, of which none is much larger than
            // all.
            const auto terms = static_cast<double>(y.value().size()) / static_cast<double>(gradients[k]->size());
            double size = 1;
            for (const double each : *gradients[k]) size = std::max(size, std::fabs(each));
            for (std::size_t i = 0; i < gradients[k]->size(); ++i) {
                const double found = float_gradients[k]->data()[i], expected = gradients[k]->data()[i];
                if (close(found, expected, (spec.ulps + 8 + terms) * terms * epsilon<float> * size)) continue;
                return fmt::format("element {} of the gradient of input {} is {}, in float {}", i, k, expected, found);
            }
        }
        if (at.special) return "";
        failure = dot_product(y, wide, gradients);
        if (failure.empty() && at.order > 0 && !all_cut) failure = differences(spec.call, at, held);
        return failure;
    }
};

}  // namespace

TEST_CASE("elementwise ops hold on generated shapes and values", "[every_op][generated]") {
    for (const OpSpec& spec : registry()) {
        if (!spec.is_elementwise()) continue;
        const auto simple = [&](std::size_t k) { return simple_number(spec.domain[k], k); };
        for_all(spec.name, cases([&](Source& source) { return elementwise_case(source, spec); }, simple), 150,
                ElementwiseCheck{spec});
    }
}

TEST_CASE("elementwise ops name generated shapes that do not broadcast", "[every_op][generated]") {
    for (const OpSpec& spec : registry()) {
        if (spec.arity < 2) continue;
        const auto make = [&](Source& source) {
            Case made;
            Shape space = any_shape(source, 3, false);
            space.push_back(2 + source.below(4));
            made.choices = {source.below(spec.arity), source.below(space.size())};
            made.shapes.assign(spec.arity, space);
            for (const Shape& shape : made.shapes) made.values.push_back(Values(element_count(shape), 1));
            return made;
        };
        for_all(spec.name, cases(make, [](std::size_t) { return 1.0; }), 40, [&](const Case& at) -> std::string {
            Case wrong = at;
            Shape& shape = wrong.shapes[at.choices[0]];
            if (at.choices[1] >= shape.size() || shape[at.choices[1]] < 2) return "";  // which shrinking brings
            ++shape[at.choices[1]];
            wrong.values[at.choices[0]].resize(element_count(shape), 1);
            Tape<double> tape;
            const auto inputs = variables(tape, wrong);
            const std::string message = message_of<ShapeError>([&] { spec.call(std::span<const Var<double>>(inputs)); });
            const std::string& right = to_string(at.shapes[at.choices[0]]);
            for (const std::string& part : {spec.name, right, to_string(shape)}) {
                if (message.find(part) == std::string::npos) return "no " + part + " in: " + message;
            }
            return "";
        });
    }
}

// ---- Structured ops: any parameters of those that the specs can give any ----

namespace {

/// Makes an op's parameters of the shapes and of numbers that mean nothing by themselves.
struct Family {
    std::string name;
    std::function<std::vector<Shape>(Source&)> shapes;
    std::function<Instance(const std::vector<Shape>& shapes, const std::vector<std::size_t>& choices)> instance;
    bool kinks = false;  ///< where elements are equal
};

/// The axes that bits of `choice` name, others of its bits counting them from the last.
AxisList some_axes(std::size_t choice, std::size_t rank) {
    AxisList axes;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if ((choice >> axis & 1) == 0) continue;
        axes.push_back(signed_of(axis) - ((choice >> (axis + 4) & 1) != 0 ? signed_of(rank) : 0));
    }
    return axes;
}

/// One of `rank` axes, which may be counted from the last.
std::ptrdiff_t some_axis(const std::vector<std::size_t>& choices, std::size_t rank) {
    return signed_of(choices[0] % rank) - (choices[1] % 2 == 1 ? signed_of(rank) : 0);
}

std::vector<Shape> one_shape(Source& source) { return {any_shape(source)}; }

/// Of one axis, which shapes of rank 0 do not have: they are given one. make(shape, extent, axis, choices).
template <class Make>
Family along_axis(const std::string& name, Make make) {
    const auto shapes = [](Source& source) {
        Shape shape = any_shape(source, 3);
        shape.push_back(source.below(8));
        return std::vector<Shape>{shape};
    };
    return {name, shapes, [=](const auto& in, const auto& choices) {
                const std::ptrdiff_t axis = some_axis(choices, in[0].size());
                return make(in[0], signed_of(in[0][specs::placed(axis, in[0].size())]), axis, choices);
            }};
}

std::vector<Family> reduction_families() {
    std::vector<Family> all;
    for (const specs::Folding& op : specs::foldings()) {
        const auto shapes = [&op](Source& source) { return std::vector<Shape>{any_shape(source, 4, op.of_nothing)}; };
        const auto instance = [&op](const auto& in, const auto& choices) {
            const AxisList axes = some_axes(choices[0], in[0].size());
            return folding_of(op, in[0], choices[1] % 3 == 0 ? Axes() : Axes(axes),
                              choices[2] % 2 == 1 ? KeepDims::yes : KeepDims::no);
        };
        all.push_back({op.name, shapes, instance, op.exact});
    }
    for (const specs::Share& op : specs::shares()) {
        all.push_back({op.name, one_shape, [&op](const auto& in, const auto& choices) {
                           const AxisList axes = some_axes(choices[0], in[0].size());
                           return share_of(op, in[0], choices[1] % 3 == 0 ? Axes() : Axes(axes));
                       }});
    }
    for (const specs::Scan& op : specs::scans()) {
        all.push_back(along_axis(op.name, [&op](const Shape& shape, auto, auto axis, const auto& choices) {
            const bool initial = op.has_initial && choices[2] % 2 == 1;
            return scan_of(op, shape, axis, initial ? IncludeInitial::yes : IncludeInitial::no);
        }));
    }
    return all;
}

/// A permutation of the axes, some counted from the last.
AxisList some_order(const std::vector<std::size_t>& choices, std::size_t rank) {
    AxisList axes;
    std::vector<std::size_t> left;
    for (std::size_t axis = 0; axis < rank; ++axis) left.push_back(axis);
    for (std::size_t rest = choices[0]; !left.empty(); rest /= 4) {
        const auto pick = left.begin() + signed_of(rest % left.size());
        axes.push_back(signed_of(*pick) - ((choices[1] >> axes.size() & 1) != 0 ? signed_of(rank) : 0));
        left.erase(pick);
    }
    return axes;
}

/// The same number of elements in 1 and divisors of it, of which the last may be left to the op.
Shape some_divisors(const std::vector<std::size_t>& choices, std::size_t count) {
    if (count == 1 && choices[2] % 2 == 1) return {};
    Shape shape{1};
    std::size_t left = count;
    for (const std::size_t divisor : {2u + choices[0] % 2, 3u + choices[1] % 3}) {
        if (left % divisor != 0) continue;
        shape.push_back(divisor);
        left /= divisor;
    }
    shape.push_back(count > 0 && choices[2] % 3 == 1 ? inferred : left);
    return shape;
}

/// What a shape broadcasts to.
Shape some_whole(const std::vector<std::size_t>& choices, const Shape& part) {
    Shape whole;
    if (choices[2] % 2 == 1) whole.push_back(choices[2] % 5);
    for (std::size_t axis = 0; axis < part.size(); ++axis) {
        const bool repeated = part[axis] == 1 && (choices[0] >> axis & 1) == 1;
        whole.push_back(repeated ? choices[1] % 4 : part[axis]);
    }
    return whole;
}

/// Some of an axis, forwards or backwards, counted from either end.
Slice some_slice(const std::vector<std::size_t>& choices, std::ptrdiff_t extent) {
    const auto bound = [=](std::size_t choice) { return signed_of(choice % static_cast<std::size_t>(extent + 1)); };
    const auto [low, high] = std::minmax({bound(choices[2]), bound(choices[3])});
    const auto size = 1 + signed_of(choices[4] / 4 % 4);
    const bool back = choices[4] % 2 == 1 && low < high, negative = choices[4] / 2 % 2 == 1;
    Slice range{low, high, size};
    if (back) range = {high - 1, low == 0 ? std::nullopt : std::optional<std::ptrdiff_t>(low - 1), -size};
    if (negative && *range.start < extent) *range.start -= extent;
    return range;
}

std::vector<Family> shape_families() {
    std::vector<Family> all;
    all.push_back({"permute_dims", one_shape, [](const auto& in, const auto& choices) {
                       return specs::permute_dims_of(in[0], some_order(choices, in[0].size()));
                   }});
    all.push_back({"moveaxis", one_shape, [](const auto& in, const auto& choices) {
                       AxisList from = some_order(choices, in[0].size());
                       AxisList to = some_order({choices[2], choices[3]}, in[0].size());
                       for (AxisList* each : {&from, &to}) each->resize(choices[4] % (in[0].size() + 1));
                       return specs::moveaxis_of(in[0], from, to);
                   }});
    all.push_back({"reshape", one_shape, [](const auto& in, const auto& choices) {
                       return specs::reshape_of(in[0], some_divisors(choices, element_count(in[0])));
                   }});
    all.push_back({"flip", one_shape, [](const auto& in, const auto& choices) {
                       return specs::flip_of(in[0], Axes(some_axes(choices[0], in[0].size())));
                   }});
    all.push_back({"expand_dims and squeeze", one_shape, [](const auto& in, const auto& choices) {
                       const std::ptrdiff_t axis = some_axis(choices, in[0].size() + 1);
                       const Instance expanded = specs::expand_dims_of(in[0], axis);
                       if (choices[2] % 2 == 0) return expanded;
                       return composed(expanded, specs::squeeze_of(expanded.definition.shape, axis));
                   }});
    const auto small = [](Source& source) { return std::vector<Shape>{any_shape(source, 3)}; };
    all.push_back({"broadcast_to", small, [](const auto& in, const auto& choices) {
                       return specs::broadcast_to_of(in[0], some_whole(choices, in[0]));
                   }});
    all.push_back(along_axis("roll", [](const Shape& shape, auto, auto axis, const auto& choices) {
        return specs::roll_of(shape, signed_of(choices[2] % 40) - 20, axis);
    }));
    all.push_back(along_axis("slice", [](const Shape& shape, auto extent, auto axis, const auto& choices) {
        return specs::slice_of(shape, axis, some_slice(choices, extent));
    }));
    all.push_back(along_axis("pad", [](const Shape& shape, auto extent, auto axis, const auto& choices) {
        const auto before = std::max(signed_of(choices[2] % 8) - 3, -extent);
        const auto after = std::max(signed_of(choices[3] % 8) - 3, -extent - std::min<std::ptrdiff_t>(before, 0));
        PaddingList padding(shape.size(), Padding{});
        padding[specs::placed(axis, shape.size())] = {before, after};
        return specs::pad_of(shape, padding);
    }));
    all.push_back(along_axis("take", [](const Shape& shape, auto extent, auto axis, const auto& choices) {
        std::vector<std::ptrdiff_t> list;
        for (std::size_t i = 0; i < choices[2] % 6 && extent > 0; ++i) {
            list.push_back(signed_of((choices[3] >> (2 * i)) % static_cast<std::size_t>(2 * extent)) - extent);
        }
        return specs::take_of(shape, list, axis);
    }));
    all.push_back(along_axis("repeat", [](const Shape& shape, auto extent, auto axis, const auto& choices) {
        if (choices[2] % 2 == 0) return specs::repeat_of(shape, choices[3] % 4, axis);
        Shape counts;
        for (std::ptrdiff_t i = 0; i < extent; ++i) counts.push_back((choices[3] >> i) % 3);
        return specs::repeat_of(shape, counts, axis);
    }));
    all.push_back({"tile", small, [](const auto& in, const auto& choices) {
                       Shape repetitions;
                       for (std::size_t i = 0; i < choices[0] % 4; ++i) repetitions.push_back((choices[1] >> i) % 3);
                       return specs::tile_of(in[0], repetitions);
                   }});
    const auto matrices = [](Source& source) {
        Shape shape = any_shape(source, 1);
        shape.push_back(source.below(7));
        shape.push_back(source.below(7));
        return std::vector<Shape>{shape};
    };
    all.push_back({"diagonal", matrices, [](const auto& in, const auto& choices) {
                       return specs::diagonal_of(in[0], signed_of(choices[0] % 13) - 6);
                   }});
    for (const auto which : {specs::Triangle::lower, specs::Triangle::upper}) {
        const std::string name = which == specs::Triangle::lower ? "tril" : "triu";
        all.push_back({name, matrices, [=](const auto& in, const auto& choices) {
                           return specs::triangle_of(which, in[0], signed_of(choices[0] % 9) - 4);
                       }});
    }
    return all;
}

/// Of the first rows and columns of both inputs, which are larger.
Instance of_corners(const Instance& product) {
    Instance made = product;
    made.call = [product](auto v) {
        std::vector<std::remove_cvref_t<decltype(v[0])>> corners;
        for (std::size_t k = 0; k < 2; ++k) {
            const Shape& shape = product.shapes[k];
            const Slice rows{0, signed_of(shape[shape.size() - 2])}, columns{0, signed_of(shape[shape.size() - 1])};
            corners.push_back(slice(slice(v[k], -2, rows), -1, columns));
        }
        return product.call(corners);
    };
    return made;
}

std::vector<Family> families_of_several() {
    std::vector<Family> all;
    for (const bool stacked : {false, true}) {
        const auto shapes = [=](Source& source) {
            Shape shape = any_shape(source, 2);
            if (!stacked) shape.push_back(1 + source.below(4));
            return std::vector<Shape>(2, shape);
        };
        all.push_back({stacked ? "stack" : "concat", shapes, [=](const auto& in, const auto& choices) {
                           const std::ptrdiff_t axis = some_axis(choices, in[0].size() + (stacked ? 1 : 0));
                           const Instance of_three =
                               stacked ? specs::stack_of(in[0], 3, axis) : specs::concat_of(std::vector<Shape>(3, in[0]), axis);
                           return with_inputs(of_three, {0, 1, 0});
                       }});
    }
    // The inputs are (..., extent, extent), of which the op gets parts, so that rows, inner and columns differ;
    // shrinking keeps them fitting because it cuts axes of one number from the last in both.
    const auto shapes = [](Source& source) {
        const Shape batch = any_shape(source, 2);
        const std::size_t extent = 1 + source.below(9);
        std::vector<Shape> made{part_of(source, batch), part_of(source, batch)};
        for (Shape& shape : made) shape.insert(shape.end(), {extent, extent});
        return made;
    };
    all.push_back({"matmul", shapes, [](const auto& in, const auto& choices) {
                       std::size_t whole = in[0].back();
                       for (const Shape& shape : in) whole = std::min({whole, shape.back(), shape[shape.size() - 2]});
                       const auto extent = [&](std::size_t choice) { return whole - choice % (whole + 1); };
                       const std::size_t rows = extent(choices[0]), inner = extent(choices[1]), columns = extent(choices[2]);
                       const Transpose transpose{choices[3] % 2 == 1, choices[3] / 2 % 2 == 1};
                       const auto with_sides = [](Shape shape, std::size_t first, std::size_t second, bool transposed) {
                           shape[shape.size() - 2] = transposed ? second : first;
                           shape[shape.size() - 1] = transposed ? first : second;
                           return shape;
                       };
                       return of_corners(specs::matmul_of(with_sides(in[0], rows, inner, transpose.a),
                                                          with_sides(in[1], inner, columns, transpose.b), transpose));
                   }});
    return all;
}

Case structured_case(Source& source, const Family& family) {
    Case made;
    made.shapes = family.shapes(source);
    made.least_rank = 2;  // matrices; ops of one axis need no smaller cases either
    for (int i = 0; i < 5; ++i) made.choices.push_back(source.below(4096));
    std::size_t count = 0;
    for (const Shape& shape : made.shapes) count += element_count(shape);
    made.order = count > 20 ? 0 : source.one_in(4) ? 2 : source.one_in(3) ? 1 : 0;
    made.special = made.order == 0 && source.one_in(4);
    const bool ties = source.one_in(4);
    for (const Shape& shape : made.shapes) {
        made.values.push_back(any_values(source, shape, {}, made.special));
        if (ties)
            std::transform(made.values.back().begin(), made.values.back().end(), made.values.back().begin(),
                           [](double each) { return std::round(each); });
    }
    return made;
}

template <class T>
std::string compare_with_reference(const specs::Definition& reference, const Case& at, const Var<T>& y) {
    const char* type = sizeof(T) == sizeof(float) ? "float" : "double";
    if (y.shape() != reference.shape) {
        return fmt::format("the value has shape {}, not {}", to_string(y.shape()), to_string(reference.shape));
    }
    std::vector<Array<double>> x;
    for (std::size_t k = 0; k < at.shapes.size(); ++k) x.emplace_back(array_of<T>(at.shapes[k], at.values[k]));
    for (std::size_t i = 0; i < element_count(reference.shape); ++i) {
        const specs::Numbers list = reference.numbers(x, index_at(i, reference.shape));
        specs::Numbers sizes;
        for (const long double each : list) sizes.push_back(std::isfinite(each) ? std::fabs(each) : 0);
        const auto expected = static_cast<double>(reference.fold(list));
        const double found = static_cast<double>(y.value().data()[i]);
        const double roundings = reference.exact ? 0 : 4 + static_cast<double>(list.size());
        const auto size = static_cast<double>(reference.scale ? reference.scale(list) : reference.fold(sizes));
        const double scale = reference.exact ? 0 : std::max(size, static_cast<double>(std::numeric_limits<T>::min()));
        if (close(found, expected, roundings * epsilon<T> * scale)) continue;
        return fmt::format("in {} element {} is {}, the reference gives {}", type, i, found, expected);
    }
    return "";
}

bool has_equal(Values values) {
    std::sort(values.begin(), values.end());
    return std::adjacent_find(values.begin(), values.end()) != values.end();
}

std::string check_structured(const Family& family, const Case& at) {
    const Instance op = family.instance(at.shapes, at.choices);
    Tape<float> in_float;
    Tape<double> in_double;
    const auto narrow = variables(in_float, at);
    const auto wide = variables(in_double, at);
    const auto y = op.call(std::span<const Var<double>>(wide));
    std::string failure = compare_with_reference(op.definition, at, op.call(std::span<const Var<float>>(narrow)));
    if (failure.empty()) failure = compare_with_reference(op.definition, at, y);
    // The mean of nothing is no number, nor is its derivative.
    const auto is_finite = [](double each) { return std::isfinite(each); };
    const bool finite = std::all_of(y.value().begin(), y.value().end(), is_finite);
    if (failure.empty() && !at.special && finite) failure = dot_product(y, wide, gradients_of_sum(y, wide));
    if (failure.empty() && at.order > 0 && finite) {
        Case smooth = at;
        // gradcheck steps around the kinks of the value only, and on one the gradient jumps.
        if (family.kinks && has_equal(at.values[0])) smooth.order = 1;
        failure = differences(op.call, smooth, std::vector<bool>(at.shapes.size(), false));
    }
    return failure.empty() ? "" : op.text + ": " + failure;
}

void check_families(const std::vector<Family>& families) {
    for (const Family& family : families) {
        const auto make = [&](Source& source) { return structured_case(source, family); };
        for_all(family.name, cases(make, [](std::size_t) { return 1.0; }), 200,
                [&](const Case& at) { return check_structured(family, at); });
    }
}

}  // namespace

TEST_CASE("reductions and scans hold on generated shapes, axes and values", "[every_op][generated]") {
    check_families(reduction_families());
}

TEST_CASE("ops of shapes hold on generated shapes, axes and values", "[every_op][generated]") {
    check_families(shape_families());
}

TEST_CASE("ops of several arrays hold on generated shapes, axes and values", "[every_op][generated]") {
    check_families(families_of_several());
}

TEST_CASE("an axis that a generated shape does not have is named in the error", "[every_op][generated]") {
    using Call = std::function<void(const Var<double>&, std::ptrdiff_t)>;
    const std::vector<std::pair<std::string, Call>> calls{
        {"sum", [](const auto& x, auto axis) { sum(x, axis); }},
        {"mean", [](const auto& x, auto axis) { mean(x, axis); }},
        {"max", [](const auto& x, auto axis) { max(x, axis); }},
        {"min", [](const auto& x, auto axis) { min(x, axis); }},
        {"prod", [](const auto& x, auto axis) { prod(x, axis); }},
        {"logsumexp", [](const auto& x, auto axis) { logsumexp(x, axis); }},
        {"cumulative_sum", [](const auto& x, auto axis) { cumulative_sum(x, axis); }},
        {"cumulative_prod", [](const auto& x, auto axis) { cumulative_prod(x, axis); }},
        {"flip", [](const auto& x, auto axis) { flip(x, axis); }},
        {"roll", [](const auto& x, auto axis) { roll(x, 1, axis); }},
        {"slice",
         [](const auto& x, auto axis) {
             slice(x, axis, {0, 0});
         }},
        {"take", [](const auto& x, auto axis) { take(x, {0}, axis); }},
        {"concat",
         [](const auto& x, auto axis) {
             concat({x, x}, axis);
         }},
        {"squeeze", [](const auto& x, auto axis) { squeeze(x, axis); }},
    };
    const auto make = [](Source& source) {
        Case made;
        made.shapes = one_shape(source);
        made.values = {Values(element_count(made.shapes[0]), 1)};
        made.choices = {source.below(5), source.below(2)};
        return made;
    };
    for (const auto& [name, call] : calls) {
        const Call& f = call;
        const std::string& op = name;
        for_all(name, cases(make, [](std::size_t) { return 1.0; }), 40, [&](const Case& at) -> std::string {
            Tape<double> tape;
            const auto x = variables(tape, at)[0];
            const auto rank = signed_of(x.shape().size()), beyond = signed_of(at.choices[0]);
            const auto axis = at.choices[1] == 0 ? rank + beyond : -rank - 1 - beyond;
            const std::string message = message_of<ShapeError>([&] { f(x, axis); });
            for (const std::string& part : {op, std::to_string(axis)}) {
                if (message.find(part) == std::string::npos) return "no " + part + " in: " + message;
            }
            return "";
        });
    }
}
