// The generic checks. The oracle of an elementwise op is the op itself on scalars, one element at a time: that is what
// the reference and gradcheck are compared with, and what loops over packs, tails and broadcast rows must agree with.
#include "autograd/check/opcheck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "autograd/check/gradcheck.hpp"
#include "autograd/ops/reductions.hpp"

namespace autograd {
namespace {

template <class T>
constexpr double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
template <class T>
constexpr const char* type_name = sizeof(T) == sizeof(float) ? "float" : "double";

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
using Arrays = std::vector<Array<T>>;
using Shapes = std::vector<Shape>;

std::string text_of(const Shapes& shapes) {
    std::string text;
    for (const Shape& shape : shapes) text += (text.empty() ? "" : ", ") + to_string(shape);
    return text;
}

template <class T>
Array<T> converted(const Array<double>& from) {
    auto to = empty<T>(from.shape());
    std::transform(from.begin(), from.end(), to.data(), [](double each) { return static_cast<T>(each); });
    return to;
}

/// Uniform in the domain, and a float even where T is double, so that both get the same inputs.
template <class T>
Array<T> sample(Rng& rng, const Shape& shape, OpDomain domain) {
    Array<float> x = rng.uniform<float>(shape);
    for (float& each : x) each = static_cast<float>(domain.low + (domain.high - domain.low) * double{each});
    return Array<T>(x);
}

template <class T>
std::vector<Var<T>> variables(Tape<T>& tape, const Arrays<T>& values) {
    tape.clear();
    std::vector<Var<T>> result;
    for (const Array<T>& each : values) result.push_back(tape.variable(each));
    return result;
}

template <class T>
Array<T> weights_for(const Shape& shape) {
    Rng rng = Rng(3).stream("weights");
    return sample<T>(rng, shape, {0.5, 1});
}

/// Value of f, and the gradients of its weighted sum; null where an input gets none.
template <class T>
struct Outcome {
    Array<T> value;
    std::vector<std::optional<Array<T>>> gradients;
};

template <class T, class F>
Outcome<T> outcome(Tape<T>& tape, const Arrays<T>& values, const Array<T>* weights, F f) {
    const auto inputs = variables(tape, values);
    const Var<T> y = f(std::span<const Var<T>>(inputs));
    Outcome<T> result{y.value(), std::vector<std::optional<Array<T>>>(inputs.size())};
    if (!tape.node(y.index()).needs_gradient) return result;
    const auto gradients = backward(y, weights != nullptr ? *weights : weights_for<T>(y.shape()));
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (const Array<T>* each = gradients.find(inputs[k])) result.gradients[k] = *each;
    }
    return result;
}

/// NaN equals NaN, an infinity only itself.
bool close(double found, double expected, double tolerance) {
    if (std::isnan(expected)) return std::isnan(found);
    if (std::isinf(expected)) return found == expected;
    return std::fabs(found - expected) <= tolerance;
}

class Opcheck {
   public:
    explicit Opcheck(const OpSpec& spec) : spec_(spec) {}

    std::vector<std::string> run() {
        if (spec_.is_elementwise()) {
            run_elementwise<float>();
            run_elementwise<double>();
            guarded("gradcheck", [&] { elementwise_gradcheck(); });
            guarded("derived gradient", [&] { stated_against_derived(); });
        } else {
            if (spec_.cases.empty()) fail("the spec has no cases");
            for (const OpCase& each : spec_.cases) guarded(each.name, [&] { run_case(each); });
            for (const OpMisuse& each : spec_.misuses) guarded("misuse", [&] { run_misuse(each); });
        }
        return std::move(failures_);
    }

   private:
    void fail(std::string text) { failures_.push_back(spec_.name + ": " + std::move(text)); }

    template <class Check>
    void guarded(const std::string& name, Check check) {
        try {
            check();
        } catch (const std::exception& error) {
            fail(fmt::format("{}: it threw: {}", name, error.what()));
        }
    }

    // ---- Elementwise ----

    template <class T>
    const ElementwiseOp<T>& op() const {
        if constexpr (std::is_same_v<T, float>) {
            return *spec_.in_float;
        } else {
            return *spec_.in_double;
        }
    }
    std::size_t arity() const { return spec_.arity; }
    bool is_cut(std::size_t k) const { return spec_.in_double->cuts(k); }

    template <class T>
    static Var<T> call(const ElementwiseOp<T>& op, std::span<const Var<T>> v) {
        PoolVector<Input<T>> inputs;
        for (const Var<T>& each : v) inputs.push_back({each.index(), T(0)});
        return detail::record_map<T>(op, v.front().tape(), inputs);
    }
    template <class T>
    auto caller() const {
        return [this](std::span<const Var<T>> v) { return call(op<T>(), v); };
    }

    template <class T>
    Arrays<T> samples(const Shapes& shapes) const {
        Rng rng = Rng(2).stream("samples");
        Arrays<T> result;
        for (std::size_t k = 0; k < shapes.size(); ++k) result.push_back(sample<T>(rng, shapes[k], spec_.domain[k]));
        return result;
    }

    /// Value and partial derivatives of one element, by the op on scalars.
    template <class T>
    struct Point {
        T value;
        std::array<double, OpOracle::max_inputs> partial{};
    };
    template <class T>
    Point<T> at(const std::array<T, OpOracle::max_inputs>& x) {
        Arrays<T> scalars;
        for (std::size_t k = 0; k < arity(); ++k) scalars.push_back(full<T>({}, x[k]));
        const Array<T> one = full<T>({}, T(1));
        const Outcome<T> found = outcome(tape<T>(), scalars, &one, caller<T>());
        Point<T> point{found.value.data()[0]};
        for (std::size_t k = 0; k < arity(); ++k) {
            if (found.gradients[k]) point.partial[k] = static_cast<double>(found.gradients[k]->data()[0]);
        }
        return point;
    }

    template <class T>
    Tape<T>& tape() {
        if constexpr (std::is_same_v<T, float>) {
            return in_float_;
        } else {
            return in_double_;
        }
    }

    double reference(const std::array<double, OpOracle::max_inputs>& x) const { return spec_.reference(x.data()); }

    template <class T>
    void run_elementwise() {
        const std::string type = type_name<T>;
        guarded("values in " + type, [&] { values<T>(); });
        guarded("special values in " + type, [&] { special_values<T>(); });
        guarded("sizes in " + type, [&] {
            for (const std::size_t size : {0u, 1u, 2u, 3u, 7u, 8u, 9u, 15u, 16u, 17u, 33u}) loops<T>(Shapes(arity(), {size}));
            loops<T>(Shapes(arity(), {3, 17}));
            loops<T>(Shapes(arity(), {2, 0}));
        });
        if (arity() > 1) {
            guarded("broadcasting in " + type, [&] { broadcasting<T>(); });
            guarded("wrong shapes in " + type, [&] { wrong_shapes<T>(); });
            guarded("scalars in " + type, [&] { immediates<T>(); });
            guarded("one Var as every input in " + type, [&] { shared_input<T>(); });
        }
    }

    /// Many values in the domain against the reference.
    template <class T>
    void values() {
        if (spec_.reference == nullptr) return;
        constexpr std::size_t count = 1000;
        const Arrays<T> x = samples<T>(Shapes(arity(), {count}));
        const Array<T> y = outcome<T>(tape<T>(), x, nullptr, caller<T>()).value;
        for (std::size_t i = 0; i < count; ++i) {
            std::array<double, OpOracle::max_inputs> at{};
            for (std::size_t k = 0; k < arity(); ++k) at[k] = static_cast<double>(x[k].data()[i]);
            const double expected = reference(at);
            const double found = static_cast<double>(y.data()[i]);
            if (close(found, expected, unit<T>(expected))) continue;
            return fail(fmt::format("in {} its value at {} is {}, the reference gives {}; more than {} ulps apart",
                                    type_name<T>, fmt::join(at.begin(), at.begin() + ptrdiff(arity()), ", "), found, expected,
                                    spec_.ulps));
        }
    }

    static std::ptrdiff_t ptrdiff(std::size_t i) { return static_cast<std::ptrdiff_t>(i); }

    /// The tolerance of a value of this size; the reference's own last bit is in it.
    template <class T>
    double unit(double expected) const {
        const double smallest = static_cast<double>(std::numeric_limits<T>::min());
        return spec_.ulps * epsilon<T> * std::max(std::fabs(expected), smallest) + 0.5 * epsilon<double> * std::fabs(expected);
    }

    /// All combinations of zeros, infinities, NaN and some numbers.
    template <class T>
    void special_values() {
        constexpr std::array special{0.0, -0.0, infinity, -infinity, nan, 0.5, 1.0, -1.0, 2.0, -2.5, 3.0};
        std::size_t count = 1;
        for (std::size_t k = 0; k < arity(); ++k) count *= special.size();
        Arrays<T> x;
        for (std::size_t k = 0, stride = 1; k < arity(); ++k, stride *= special.size()) {
            x.push_back(empty<T>({count}));
            for (std::size_t i = 0; i < count; ++i) {
                x[k].data()[i] = static_cast<T>(special[i / stride % special.size()]);
            }
        }
        const Array<T> y = outcome<T>(tape<T>(), x, nullptr, caller<T>()).value;
        const bool propagates = std::string_view(spec_.documentation.nan) == Documentation{}.nan;
        for (std::size_t i = 0; i < count; ++i) {
            std::array<double, OpOracle::max_inputs> at{};
            bool nan_comes_in = false;
            for (std::size_t k = 0; k < arity(); ++k) {
                at[k] = static_cast<double>(x[k].data()[i]);
                nan_comes_in |= std::isnan(at[k]) && !is_cut(k);
            }
            const bool nan_expected = nan_comes_in && propagates;
            if (!nan_expected && spec_.reference == nullptr) continue;
            const double expected = nan_expected ? nan : reference(at);
            const double found = static_cast<double>(y.data()[i]);
            if (close(found, expected, unit<T>(expected))) continue;
            fail(fmt::format("in {} its value at {} is {}, not {}", type_name<T>,
                             fmt::join(at.begin(), at.begin() + ptrdiff(arity()), ", "), found, expected));
        }
    }

    /// Where in an array of this shape the elements of one that broadcasts to `space` come from.
    static std::vector<std::size_t> sources(const Shape& shape, const Shape& space) {
        std::vector<std::size_t> result(element_count(space));
        const std::size_t offset = space.size() - shape.size();
        for (std::size_t i = 0; i < result.size(); ++i) {
            std::size_t rest = i, stride = 1;
            for (std::size_t axis = space.size(); axis-- > offset; rest /= space[axis]) {
                if (shape[axis - offset] == 1) continue;
                result[i] += rest % space[axis] * stride;
                stride *= shape[axis - offset];
            }
        }
        return result;
    }

    /// Value and gradients on arrays against the op on scalars, element by element.
    template <class T>
    void loops(const Shapes& shapes) {
        Shape space;
        for (const Shape& shape : shapes) space = broadcast_shapes(space, shape);
        const std::size_t count = element_count(space);
        const Arrays<T> x = samples<T>(shapes);
        const Array<T> weights = weights_for<T>(space);
        // The value is checked for what the forward loops of the first sweep left; so the tape is not the oracle's.
        Tape<T> own;
        const Outcome<T> found = outcome<T>(own, x, &weights, caller<T>());
        const std::string where = fmt::format("in {} of shapes {}", type_name<T>, text_of(shapes));
        if (found.value.shape() != space) {
            return fail(fmt::format("{} the value has shape {}", where, to_string(found.value.shape())));
        }
        std::vector<std::vector<std::size_t>> from;
        Arrays<double> expected, size, terms;
        for (const Shape& shape : shapes) {
            from.push_back(sources(shape, space));
            for (Arrays<double>* each : {&expected, &size, &terms}) each->push_back(full<double>(shape, 0));
        }
        for (std::size_t i = 0; i < count; ++i) {
            std::array<T, OpOracle::max_inputs> inputs{};
            for (std::size_t k = 0; k < arity(); ++k) inputs[k] = x[k].data()[from[k][i]];
            const Point<T> point = at<T>(inputs);
            if (found.value.data()[i] != point.value) {
                return fail(fmt::format("{} element {} is {}, of the same numbers as scalars it is {}", where, i,
                                        found.value.data()[i], point.value));
            }
            const double weight = static_cast<double>(weights.data()[i]);
            for (std::size_t k = 0; k < arity(); ++k) {
                expected[k].data()[from[k][i]] += weight * point.partial[k];
                size[k].data()[from[k][i]] += weight * std::max(1.0, std::fabs(point.partial[k]));
                terms[k].data()[from[k][i]] += 1;
            }
        }
        for (std::size_t k = 0; k < arity(); ++k) {
            if (!found.gradients[k]) {
                if (!is_cut(k)) fail(fmt::format("{} input {} gets no gradient", where, k));
                continue;
            }
            const Array<T>& gradient = *found.gradients[k];
            if (gradient.shape() != shapes[k]) {
                return fail(fmt::format("{} the gradient of input {} has shape {}", where, k, to_string(gradient.shape())));
            }
            for (std::size_t i = 0; i < gradient.size(); ++i) {
                // As many roundings as a rule may have, and one for each term of a sum.
                const double tolerance = (spec_.ulps + 4 + terms[k].data()[i]) * epsilon<T> * size[k].data()[i];
                const double value = static_cast<double>(gradient.data()[i]);
                if (close(value, expected[k].data()[i], tolerance)) continue;
                return fail(fmt::format("{} element {} of the gradient of input {} is {}, summed from scalars it is {}", where,
                                        i, k, value, expected[k].data()[i]));
            }
        }
    }

    /// Calls use(shapes) for each way to give every input one of these shapes.
    template <class Use>
    void for_each_choice(const Shapes& from, Use use) const {
        std::size_t count = 1;
        for (std::size_t k = 0; k < arity(); ++k) count *= from.size();
        for (std::size_t choice = 0; choice < count; ++choice) {
            Shapes shapes;
            for (std::size_t k = 0, rest = choice; k < arity(); ++k, rest /= from.size()) {
                shapes.push_back(from[rest % from.size()]);
            }
            use(shapes);
        }
    }

    template <class T>
    void broadcasting() {
        const auto check = [this](const Shapes& shapes) { loops<T>(shapes); };
        for_each_choice({{2, 3}, {3}, {2, 1}, {}, {1, 3}, {1, 1}}, check);
        for_each_choice({{3, 17}, {17}, {3, 1}, {2, 1, 17}, {2, 3, 1}}, check);
        for_each_choice({{2, 0}, {0}, {2, 1}, {}}, check);
    }

    template <class T>
    void wrong_shapes() {
        for (std::size_t k = 1; k < arity(); ++k) {
            Shapes shapes(arity(), {2, 3});
            shapes[k] = {2};
            try {
                outcome<T>(tape<T>(), samples<T>(shapes), nullptr, caller<T>());
                fail(fmt::format("shapes {} are taken without an error", text_of(shapes)));
            } catch (const ShapeError& error) {
                const std::string message = error.what();
                for (const std::string& part : {spec_.name, std::string("(2, 3)"), std::string("(2,)")}) {
                    if (message.find(part) == std::string::npos) {
                        fail(fmt::format("the error for shapes {} does not name {}: {}", text_of(shapes), part, message));
                    }
                }
            }
        }
    }

    /// Scalars that stand in the expression, in all positions but one, against constants of shape ().
    template <class T>
    void immediates() {
        constexpr std::size_t size = 9;
        for (std::size_t mask = 1; mask + 1 < (std::size_t{1} << arity()); ++mask) {
            Shapes shapes;
            for (std::size_t k = 0; k < arity(); ++k) shapes.push_back(mask >> k & 1 ? Shape{} : Shape{size});
            const Arrays<T> x = samples<T>(shapes);
            std::array<std::vector<Array<T>>, 3> results;
            for (const bool immediate : {false, true}) {
                Tape<T>& own = tape<T>();
                own.clear();
                std::vector<Input<T>> inputs;
                std::vector<Var<T>> leaves;
                for (std::size_t k = 0; k < arity(); ++k) {
                    const bool is_scalar = (mask >> k & 1) != 0;
                    if (is_scalar && immediate) {
                        inputs.push_back({Input<T>::none, x[k].data()[0]});
                    } else {
                        leaves.push_back(is_scalar ? own.constant(x[k]) : own.variable(x[k]));
                        inputs.push_back({leaves.back().index(), T(0)});
                    }
                }
                const Var<T> y = detail::record_map<T>(op<T>(), own, inputs);
                auto& result = results[immediate ? 1 : 0];
                result.push_back(y.value());
                if (!own.node(y.index()).needs_gradient) continue;
                for (const bool recorded : {false, true}) {
                    const auto gradients = backward(y, weights_for<T>(y.shape()), {.create_graph = recorded});
                    for (const Var<T>& leaf : leaves) {
                        if (const Array<T>* each = gradients.find(leaf)) result.push_back(*each);
                    }
                }
            }
            if (results[0] != results[1]) {
                fail(fmt::format("in {} scalars in place of () constants change a value or a gradient (inputs {:b})",
                                 type_name<T>, mask));
            }
        }
    }

    /// f(x, x): the gradient of x is the sum of what the inputs get.
    template <class T>
    void shared_input() {
        OpDomain domain = spec_.domain[0];
        for (std::size_t k = 1; k < arity(); ++k) {
            const OpDomain other = spec_.domain[k];
            if (other.low >= domain.high || other.high <= domain.low) continue;
            domain = {std::max(domain.low, other.low), std::min(domain.high, other.high)};
        }
        Rng rng(4);
        const Array<T> x = sample<T>(rng, {33}, domain);
        const Array<T> weights = weights_for<T>({33});
        Tape<T> own;
        const auto twice = [this](std::span<const Var<T>> v) {
            return call<T>(op<T>(), std::vector<Var<T>>(arity(), v.front()));
        };
        const Outcome<T> found = outcome<T>(own, {x}, &weights, twice);
        for (std::size_t i = 0; i < x.size(); ++i) {
            std::array<T, OpOracle::max_inputs> inputs{};
            std::fill_n(inputs.begin(), arity(), x.data()[i]);
            const Point<T> point = at<T>(inputs);
            double expected = 0, size = 0;
            for (std::size_t k = 0; k < arity(); ++k) {
                expected += point.partial[k];
                size += std::max(1.0, std::fabs(point.partial[k]));
            }
            expected *= static_cast<double>(weights.data()[i]);
            const double value = found.gradients[0] ? static_cast<double>(found.gradients[0]->data()[i]) : 0;
            if (found.value.data()[i] == point.value && close(value, expected, (spec_.ulps + 6) * epsilon<T> * size)) continue;
            return fail(fmt::format("in {} with x = {} as every input the value is {} and the gradient {}, not {} and {}",
                                    type_name<T>, x.data()[i], found.value.data()[i], value, point.value, expected));
        }
    }

    void require(const GradcheckReport& report, const std::string& where) {
        if (!report) fail(where + ": " + report.text());
    }

    void elementwise_gradcheck() {
        // Where every input is cut there is no gradient to check: a comparison's is 0, stop_gradient's is wrong on
        // purpose.
        bool all_cut = true;
        for (std::size_t k = 0; k < arity(); ++k) all_cut &= is_cut(k);
        if (all_cut) return;
        std::vector<Shapes> choices{Shapes(arity(), {9})};
        if (arity() > 1) {
            for (std::size_t k = 0; k < arity(); ++k) {
                for (const Shape& shape : {Shape{3}, Shape{2, 1}, Shape{}}) {
                    choices.push_back(Shapes(arity(), {2, 3}));
                    choices.back()[k] = shape;
                }
            }
        }
        // An input whose domain is one point (polygamma's order) is held there: the op need not be defined beside it.
        const auto is_held = [this](std::size_t k) { return spec_.domain[k].low == spec_.domain[k].high; };
        for (const Shapes& shapes : choices) {
            const Arrays<double> all = samples<double>(shapes);
            Arrays<double> free;
            for (std::size_t k = 0; k < arity(); ++k) {
                if (!is_held(k)) free.push_back(all[k]);
            }
            const auto of_free = [&](std::span<const Var<double>> v) {
                std::vector<Var<double>> inputs;
                for (std::size_t k = 0, next = 0; k < arity(); ++k) {
                    inputs.push_back(is_held(k) ? v.front().tape().constant(all[k]) : v[next++]);
                }
                return call<double>(op<double>(), inputs);
            };
            require(gradcheck_list(of_free, free, {.order = 2}), "shapes " + text_of(shapes));
        }
        // Float has its own instantiation of the rules.
        const auto in_double = samples<double>(Shapes(arity(), {33}));
        for (std::size_t i = 0; i < 33; ++i) {
            std::array<double, OpOracle::max_inputs> x{};
            std::array<float, OpOracle::max_inputs> same{};
            for (std::size_t k = 0; k < arity(); ++k) same[k] = static_cast<float>(x[k] = in_double[k].data()[i]);
            const auto expected = at<double>(x);
            const auto found = at<float>(same);
            for (std::size_t k = 0; k < arity(); ++k) {
                const double tolerance = (spec_.ulps + 8) * epsilon<float> * std::max(1.0, std::fabs(expected.partial[k]));
                if (close(found.partial[k], expected.partial[k], tolerance)) continue;
                return fail(fmt::format("the gradient of input {} at {} is {} in float, {} in double", k,
                                        fmt::join(x.begin(), x.begin() + ptrdiff(arity()), ", "), found.partial[k],
                                        expected.partial[k]));
            }
        }
    }

    void stated_against_derived() {
        if (spec_.derived == nullptr) return;
        const auto x = samples<double>(Shapes(arity(), {100}));
        const auto stated = outcome<double>(in_double_, x, nullptr, caller<double>());
        const auto derived =
            outcome<double>(in_double_, x, nullptr, [this](std::span<const Var<double>> v) { return call(*spec_.derived, v); });
        for (std::size_t k = 0; k < arity(); ++k) {
            if (stated.gradients[k].has_value() != derived.gradients[k].has_value()) {
                fail(fmt::format("input {} has a gradient {}", k,
                                 derived.gradients[k] ? "that no rule states" : "only by its rule"));
                continue;
            }
            if (!stated.gradients[k]) continue;
            for (std::size_t i = 0; i < x[k].size(); ++i) {
                const double one = stated.gradients[k]->data()[i], other = derived.gradients[k]->data()[i];
                if (close(one, other, 64 * epsilon<double> * std::max(1.0, std::fabs(other)))) continue;
                fail(fmt::format("at input {} = {} its stated gradient is {}, the derived one {}", k, x[k].data()[i], one,
                                 other));
                break;
            }
        }
    }

    // ---- Structured ----

    template <class T>
    Arrays<T> case_samples(const OpCase& each) const {
        Rng rng = Rng(5).stream("case");
        Arrays<T> result;
        for (const Shape& shape : each.shapes) result.push_back(sample<T>(rng, shape, each.domain));
        return result;
    }

    void run_case(const OpCase& each) {
        const Arrays<double> x = case_samples<double>(each);
        Arrays<double> sizes = x;
        for (Array<double>& array : sizes) {
            for (double& value : array) value = std::fabs(value);
        }
        const Array<double> expected = each.reference(x);
        const Array<double> scale = each.reference(sizes);
        const auto in_double = outcome<double>(in_double_, x, nullptr, each.call);
        compare_values<double>(each, in_double.value, expected, scale, "");
        for (std::size_t k = 0; k < x.size(); ++k) {
            const auto& gradient = in_double.gradients[k];
            if (gradient && gradient->shape() != each.shapes[k]) {
                fail(fmt::format("{}: the gradient of input {} has shape {}", each.name, k, to_string(gradient->shape())));
            }
        }
        if (each.float_agrees) {
            const auto in_float = outcome<float>(in_float_, case_samples<float>(each), nullptr, each.call);
            compare_values<float>(each, in_float.value, expected, scale, "");
            compare_gradients(each, in_float, in_double);
        }
        const bool finite = std::all_of(expected.begin(), expected.end(), [](double y) { return std::isfinite(y); });
        if (finite) require(gradcheck_list(each.call, x, {.order = 2}), each.name);
        if (std::string_view(spec_.documentation.nan) == Documentation{}.nan) special_elements(each, x, scale);
        forward_mode(each, x);
    }

    /// Forward mode is the transpose of a rule that is linear in the gradient. So doubling the gradient doubles what the
    /// rule gives; a NaN that it hands on, the tangent hands on; and a tangent that was derived from it, which agrees with
    /// it whatever it is, is the derivative of the value.
    void forward_mode(const OpCase& each, const Arrays<double>& x) {
        Tape<double> tape;
        const auto inputs = variables(tape, x);
        const Var<double> y = each.call(inputs);
        const Array<double> weights = weights_for<double>(y.shape());
        bool is_derived = false;
        for (std::uint32_t i = 0; i <= y.index(); ++i) {
            const Op<double>* op = tape.node(i).op;
            if (op != nullptr && op->tangent == nullptr) return;  // which may have a rule of any kind
            is_derived |= op != nullptr && op->tangent_is_derived;
        }
        if (!tape.node(y.index()).needs_gradient || y.value().size() == 0) return;
        Array<double> doubled = weights;
        for (double& w : doubled) w *= 2;
        const auto once = backward(y, weights), twice = backward(y, doubled);
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            const Array<double>* gradient = once.find(inputs[k]);
            for (std::size_t i = 0; gradient != nullptr && i < gradient->size(); ++i) {
                const double expected = 2 * gradient->data()[i], found = twice[inputs[k]].data()[i];
                if (close(found, expected, 0)) continue;
                fail(fmt::format("{}: its rule is not linear in the gradient: of one twice as large, element {} of what it "
                                 "gives input {} is {}, not {}. Then forward mode is not to be had of it: state a tangent, or "
                                 "NoTangent",
                                 each.name, i, k, found, expected));
                break;
            }
            if (gradient == nullptr || x[k].size() == 0) continue;
            if (is_derived) compare_tangent(each, x, k);
            nan_in_both_modes(each, x, k);
        }
    }

    /// By central differences of the value, in a direction.
    void compare_tangent(const OpCase& each, const Arrays<double>& x, std::size_t k) {
        Tape<double> tape;
        const auto value_at = [&](double step, const Array<double>& direction) {
            Arrays<double> moved = x;
            for (std::size_t i = 0; i < moved[k].size(); ++i) moved[k].data()[i] += step * direction.data()[i];
            tape.clear();
            return Array<double>(each.call(variables(tape, moved)).value());
        };
        constexpr double step = 1e-5;
        const Array<double> direction = weights_for<double>(x[k].shape());
        const Array<double> above = value_at(step, direction), below = value_at(-step, direction);
        tape.clear();
        const auto inputs = variables(tape, x);
        const auto found = find_tangent<double>(each.call(inputs), std::vector{Direction<double>(inputs[k], direction)});
        double size = 1;
        for (std::size_t i = 0; i < above.size(); ++i) size = std::max(size, std::fabs(above.data()[i]));
        for (std::size_t i = 0; i < above.size(); ++i) {
            const double expected = (above.data()[i] - below.data()[i]) / (2 * step), t = found ? found->data()[i] : 0;
            if (!std::isfinite(expected) || close(t, expected, 1e-6 * std::max(size, std::fabs(expected)))) continue;
            return fail(fmt::format("{}: its derived tangent along input {} is {} at element {}, differences give {}",
                                    each.name, k, t, i, expected));
        }
    }

    void nan_in_both_modes(const OpCase& each, const Arrays<double>& x, std::size_t k) {
        Arrays<double> changed = x;
        changed[k].data()[x[k].size() / 2] = nan;
        const auto has_nan = [](const Array<double>& array) {
            return std::any_of(array.begin(), array.end(), [](double value) { return std::isnan(value); });
        };
        try {
            Tape<double> tape;
            const auto inputs = variables(tape, changed);
            const Var<double> y = each.call(inputs);
            const bool backwards = has_nan(backward(y, weights_for<double>(y.shape()))[inputs[k]]);
            const Direction<double> direction(inputs[k], weights_for<double>(x[k].shape()));
            const auto t = find_tangent<double>(y, {&direction, 1});
            if (backwards == (t && has_nan(*t))) return;
            fail(fmt::format("{}: with a NaN in input {} its {} is NaN, and its {} is not", each.name, k,
                             backwards ? "gradient" : "tangent", backwards ? "tangent" : "gradient"));
        } catch (const Error&) {  // of an op that refuses a NaN
        }
    }

    template <class T>
    void compare_values(const OpCase& each, const Array<T>& found, const Array<double>& expected, const Array<double>& scale,
                        const std::string& where) {
        if (found.shape() != expected.shape()) {
            return fail(fmt::format("{}: the value has shape {}, not {}", each.name, to_string(found.shape()),
                                    to_string(expected.shape())));
        }
        for (std::size_t i = 0; i < found.size(); ++i) {
            const double value = static_cast<double>(found.data()[i]);
            if (close(value, expected.data()[i], unit<T>(scale.data()[i]))) continue;
            return fail(fmt::format("{}: in {} element {} is {}, the reference gives {}{}", each.name, type_name<T>, i, value,
                                    expected.data()[i], where));
        }
    }

    void compare_gradients(const OpCase& each, const Outcome<float>& in_float, const Outcome<double>& in_double) {
        for (std::size_t k = 0; k < each.shapes.size(); ++k) {
            if (in_float.gradients[k].has_value() != in_double.gradients[k].has_value()) {
                fail(fmt::format("{}: input {} has a gradient in one of float and double", each.name, k));
            }
            if (!in_float.gradients[k] || !in_double.gradients[k]) continue;
            double size = 1;
            for (const double g : *in_double.gradients[k]) size = std::max(size, std::fabs(g));
            for (std::size_t i = 0; i < in_double.gradients[k]->size(); ++i) {
                const double found = static_cast<double>(in_float.gradients[k]->data()[i]);
                const double expected = in_double.gradients[k]->data()[i];
                if (close(found, expected, (spec_.ulps + 8) * epsilon<float> * size)) continue;
                return fail(fmt::format("{}: element {} of the gradient of input {} is {} in float, {} in double", each.name, i,
                                        k, found, expected));
            }
        }
    }

    /// A NaN or an infinity in one element goes where plain loops take it, and nowhere else.
    void special_elements(const OpCase& each, const Arrays<double>& x, const Array<double>& scale) {
        for (std::size_t k = 0; k < x.size(); ++k) {
            if (x[k].size() == 0) continue;
            for (const double special : {nan, infinity, -infinity}) {
                for (const std::size_t i : {std::size_t{0}, x[k].size() / 2, x[k].size() - 1}) {
                    Arrays<double> changed = x;
                    changed[k].data()[i] = special;
                    const std::string where = fmt::format(" with {} in element {} of input {}", special, i, k);
                    const Array<double> expected = each.reference(changed);
                    Tape<double> one;
                    compare_values<double>(each, each.call(variables(one, changed)).value(), expected, scale, where);
                    if (!each.float_agrees) continue;
                    Arrays<float> narrow;
                    for (const auto& array : changed) narrow.push_back(converted<float>(array));
                    Tape<float> other;
                    compare_values<float>(each, each.call(variables(other, narrow)).value(), expected, scale, where);
                }
            }
        }
    }

    void run_misuse(const OpMisuse& each) {
        Rng rng(6);
        Arrays<double> x;
        for (const Shape& shape : each.shapes) x.push_back(sample<double>(rng, shape, {}));
        try {
            static_cast<void>(each.call(variables(in_double_, x)));
            fail(fmt::format("shapes {} are taken without an error", text_of(each.shapes)));
        } catch (const ShapeError& error) {
            const std::string message = error.what();
            for (const std::string& part : each.message) {
                if (message.find(part) != std::string::npos) continue;
                fail(fmt::format("the error for shapes {} does not say \"{}\": {}", text_of(each.shapes), part, message));
            }
        }
    }

    const OpSpec& spec_;
    std::vector<std::string> failures_;
    Tape<float> in_float_;
    Tape<double> in_double_;
};

}  // namespace

std::vector<std::string> opcheck(const OpSpec& spec) { return Opcheck(spec).run(); }

}  // namespace autograd
