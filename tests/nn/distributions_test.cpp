// Normal and Bernoulli: values against their definitions, gradients against differences, samples and KL divergences
// against statistics of many draws. Seeds are fixed; a bound of 5 standard errors would give a false alarm for one seed
// in 1.7 million.
#include <autograd/check.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "tests/catch.hpp"
#include "tests/points.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Tape;
using autograd::Var;

namespace {

constexpr double false_alarm = 5;  // standard errors
constexpr double inf = std::numeric_limits<double>::infinity(), NaN = std::numeric_limits<double>::quiet_NaN();

struct Moments {
    double mean;
    double variance;
    double standard_error;  // of the mean
};

Moments moments(const Array<double>& values) {
    const auto n = static_cast<double>(values.size());
    double sum = 0, squares = 0;
    for (const double value : values) sum += value;
    for (const double value : values) squares += (value - sum / n) * (value - sum / n);
    return {sum / n, squares / n, std::sqrt(squares / n / n)};
}

/// An op on a grid over its domain against a reference. The references are naive formulas: at p = sigmoid(6) the
/// cancellation in 1 - p multiplies rounding by 400, and the values go up to 50.
template <std::size_t Inputs, class E>
void check_against_reference(const E& op, const autograd::OpOracle& oracle) {
    INFO(E::name);
    Tape<double> tape;
    Rng rng{1};
    Array<double> inputs[Inputs];
    for (std::size_t k = 0; k < Inputs; ++k) {
        inputs[k] = rng.uniform<double>({300});
        const auto [low, high] = oracle.domain[k];
        for (double& value : inputs[k]) value = low + (high - low) * value;
    }
    const auto [value, report] = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::pair{op(tape.constant(inputs[I])...).value(),
                         autograd::gradcheck(op, {Array<double>(inputs[I])...}, {.order = 2})};
    }(std::make_index_sequence<Inputs>{});
    CHECK(report);
    for (std::size_t i = 0; i < value.size(); ++i) {
        double x[Inputs];
        for (std::size_t k = 0; k < Inputs; ++k) x[k] = inputs[k](i);
        CHECK(std::fabs(value(i) - oracle.reference(x)) < 2e-16 * 400 * 50);
    }
}

}  // namespace

TEST_CASE("the ops of the distributions have the values of their definitions, and their gradients", "[distributions]") {
    check_against_reference<3>(nn::ops::normal_log_prob, {.reference = [](const double* x) {
                                   const double sigma = std::sqrt(std::exp(x[2]));
                                   const double z = (x[0] - x[1]) / sigma;
                                   return std::log(std::exp(-z * z / 2) / (sigma * std::sqrt(2 * std::numbers::pi)));
                               }});
    check_against_reference<4>(nn::ops::normal_kl_divergence, {.reference = [](const double* x) {
                                   const double variance = std::exp(x[1]);
                                   const double q_variance = std::exp(x[3]);
                                   return std::log(std::sqrt(q_variance / variance)) +
                                          (variance + (x[0] - x[2]) * (x[0] - x[2])) / (2 * q_variance) - 0.5;
                               }});
    check_against_reference<2>(nn::ops::standard_normal_kl_divergence,
                               {.reference = [](const double* x) { return (std::exp(x[1]) + x[0] * x[0] - 1 - x[1]) / 2; }});
    check_against_reference<2>(nn::ops::bernoulli_kl_divergence,
                               {.domain = {{{-6, 6}, {-6, 6}}}, .reference = [](const double* x) {
                                    const double p = 1 / (1 + std::exp(-x[0]));
                                    const double q = 1 / (1 + std::exp(-x[1]));
                                    return p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
                                }});
    check_against_reference<1>(nn::ops::bernoulli_entropy, {.domain = {{{-6, 6}}}, .reference = [](const double* x) {
                                                                const double p = 1 / (1 + std::exp(-x[0]));
                                                                return -p * std::log(p) - (1 - p) * std::log(1 - p);
                                                            }});
    check_against_reference<2>(nn::ops::continuous_bernoulli_log_prob,
                               {.domain = {{{0, 1}, {-6, 6}}}, .reference = [](const double* x) {
                                    const double p = 1 / (1 + std::exp(-x[1]));
                                    return x[0] * std::log(p) + (1 - x[0]) * std::log(1 - p) +
                                           std::log(2 * std::atanh(1 - 2 * p) / (1 - 2 * p));
                                }});
    check_against_reference<1>(nn::ops::continuous_bernoulli_mean, {.domain = {{{-6, 6}}}, .reference = [](const double* x) {
                                                                        const double p = 1 / (1 + std::exp(-x[0]));
                                                                        return p / (2 * p - 1) +
                                                                               1 / (2 * std::atanh(1 - 2 * p));
                                                                    }});
}

// Each factor of these overflows or vanishes somewhere on the way where the result is an ordinary number.
TEMPLATE_TEST_CASE("normal densities are right for all variances", "[distributions]", float, double) {
    const std::vector<Point> points = {
        {{0.5, 0.5, -100},
         49.081061466795327,
         {0, 0, -0.5},
         {-2.6881171418161354e+43, 2.6881171418161354e+43, 0, 2.6881171418161354e+43, -2.6881171418161354e+43, 0, 0, 0, 0}},
        {{0.5, 0.5, -200},
         99.081061466795327,
         {0, 0, -0.5},
         {-7.2259737681257493e+86, 7.2259737681257493e+86, 0, 7.2259737681257493e+86, -7.2259737681257493e+86, 0, 0, 0, 0}},
        {{0x1p-66, 0, -89},
         43.539830884714712,
         {-6.0845599652094941e+18, 6.0845599652094941e+18, -0.45876941791938463},
         {-4.4896128191743452e+38, 4.4896128191743452e+38, 6.0845599652094941e+18, 4.4896128191743452e+38,
          -4.4896128191743452e+38, -6.0845599652094941e+18, 6.0845599652094941e+18, -6.0845599652094941e+18,
          -0.041230582080615367}},
        {{0x1p-100, 0, -150},
         -43291.299005474835,
         {-1.0994430014196771e+35, 1.0994430014196771e+35, 43364.880066941631},
         {-1.3937095806663797e+65, 1.3937095806663797e+65, 1.0994430014196771e+35, 1.3937095806663797e+65,
          -1.3937095806663797e+65, -1.0994430014196771e+35, 1.0994430014196771e+35, -1.0994430014196771e+35,
          -43365.380066941631}},
        {{1, 0.5, -3},
         -1.9296306486031312,
         {-10.042768461593834, 10.042768461593834, 2.0106921153984585},
         {-20.085536923187668, 20.085536923187668, 10.042768461593834, 20.085536923187668, -20.085536923187668,
          -10.042768461593834, 10.042768461593834, -10.042768461593834, -2.5106921153984585}},
        {{0x1p127, -0x1p127, 180},
         -90.957811004517492,
         {-2.2847185215360174e-40, 2.2847185215360174e-40, -0.46112752868718084},
         {-6.7141842882115932e-79, 6.7141842882115932e-79, 2.2847185215360174e-40, 6.7141842882115932e-79,
          -6.7141842882115932e-79, -2.2847185215360174e-40, 2.2847185215360174e-40, -2.2847185215360174e-40,
          -0.038872471312819156}},
        {{0x1p100, 1, 150},
         -75.918944298172018,
         {-9.0955147170770166e-36, 9.0955147170770166e-36, -0.49999423503265476},
         {-7.1750959731644104e-66, 7.1750959731644104e-66, 9.0955147170770166e-36, 7.1750959731644104e-66,
          -7.1750959731644104e-66, -9.0955147170770166e-36, 9.0955147170770166e-36, -9.0955147170770166e-36,
          -5.7649673452436871e-6}},
        {{1, 0, 80},
         -40.918938533204673,
         {-1.8048513878454152e-35, 1.8048513878454152e-35, -0.5},
         {-1.8048513878454152e-35, 1.8048513878454152e-35, 1.8048513878454152e-35, 1.8048513878454152e-35,
          -1.804851387845415e-35, -1.8048513878454152e-35, 1.8048513878454152e-35, -1.8048513878454152e-35,
          -9.0242569392270759e-36}},
        {{0x1p-20, 0, -60},
         -51932483521115.718,
         {-1.0891031168133586e+20, 1.0891031168133586e+20, 51932483521144.299},
         {-1.1420073898156843e+26, 1.1420073898156843e+26, 1.0891031168133586e+20, 1.1420073898156843e+26,
          -1.1420073898156843e+26, -1.0891031168133586e+20, 1.0891031168133586e+20, -1.0891031168133586e+20,
          -51932483521144.799}},
        {{0.5, 0.5, -inf}, inf, {0, 0, -0.5}},
        {{1, 0.5, -inf}, -inf, {-inf, inf, inf}},
        {{0.5, 1, -inf}, -inf, {inf, -inf, inf}},
        {{1, 0.5, inf}, -inf, {0, 0, -0.5}, {0, 0, 0, 0, 0, 0, 0, 0, 0}},
        {{0x1p127, -0x1p127, inf}, -inf, {0, 0, -0.5}},
        {{inf, 0, 0}, -inf, {-inf, inf, inf}},
        {{1, -inf, 0}, -inf, {-inf, inf, inf}},
        {{inf, inf, 0}, NaN, {NaN, NaN, NaN}},
        {{NaN, 0, -inf}, NaN, {NaN, NaN, NaN}},
        {{0, NaN, 0}, NaN, {NaN, NaN, NaN}},
        {{0, 0, NaN}, NaN, {NaN, NaN, NaN}}};
    check_points<TestType, 3>(nn::ops::normal_log_prob, points, 16);
}

TEMPLATE_TEST_CASE("normal KL divergences are right for all variances, and close to 0", "[distributions]", float, double) {
    const std::vector<Point> points = {
        {{0.5, -100, 0.5, -100},
         0,
         {0, 0, 0, 0},
         {2.6881171418161354e+43, 0, -2.6881171418161354e+43, 0, 0, 0.5, 0, -0.5, -2.6881171418161354e+43, 0,
          2.6881171418161354e+43, 0, 0, -0.5, 0, 0.5}},
        {{0.5, -100, 0.5000009536743164, -101},
         3.3228661683861298e+31,
         {-6.9685554307633088e+37, 0.85914091422952262, 6.9685554307633088e+37, -3.3228661683861298e+31},
         {7.3070599793680673e+43, 0, -7.3070599793680673e+43, 6.9685554307633088e+37, 0, 1.3591409142295226, 0,
          -1.3591409142295226, -7.3070599793680673e+43, 0, 7.3070599793680673e+43, -6.9685554307633088e+37,
          6.9685554307633088e+37, -1.3591409142295226, -6.9685554307633088e+37, 3.3228661683861298e+31}},
        {{0, 0.0009765625, 0, 0},
         2.3849620826762142e-7,
         {0, 0.00048851974620826762, 0, -0.00048851974620826762},
         {1, 0, -1, 0, 0, 0.50048851974620827, 0, -0.50048851974620827, -1, 0, 1, 0, 0, -0.50048851974620827, 0,
          0.50048851974620827}},
        {{0, 0x1p-20, 0, 0},
         2.2737374772339412e-13,
         {0, 4.7683738557687272e-7, 0, -4.7683738557687272e-7},
         {1, 0, -1, 0, 0, 0.50000047683738558, 0, -0.50000047683738558, -1, 0, 1, 0, 0, -0.50000047683738558, 0,
          0.50000047683738558}},
        {{0, -0x1p-14, 0, 0},
         9.3130362709830863e-10,
         {0, -3.0516646821372902e-5, 0, 3.0516646821372902e-5},
         {1, 0, -1, 0, 0, 0.49996948335317863, 0, -0.49996948335317863, -1, 0, 1, 0, 0, -0.49996948335317863, 0,
          0.49996948335317863}},
        {{0.25, 0.375, 0.25, 0.5},
         0.0037484512922977014,
         {0, -0.058751548707702299, 0, 0.058751548707702299},
         {0.60653065971263342, 0, -0.60653065971263342, 0, 0, 0.4412484512922977, 0, -0.4412484512922977, -0.60653065971263342,
          0, 0.60653065971263342, 0, 0, -0.4412484512922977, 0, 0.4412484512922977}},
        {{1, 0.5, -1, -2},
         19.119359178213037,
         {14.7781121978613, 5.5912469803517367, -14.7781121978613, -20.369359178213037},
         {7.3890560989306502, 0, -7.3890560989306502, -14.7781121978613, 0, 6.0912469803517367, 0, -6.0912469803517367,
          -7.3890560989306502, 0, 7.3890560989306502, 14.7781121978613, -14.7781121978613, -6.0912469803517367,
          14.7781121978613, 20.869359178213037}},
        {{0x1p100, 0, 1, 150},
         74.500005764967345,
         {9.0955147170770166e-36, -0.5, -9.0955147170770166e-36, 0.49999423503265476},
         {7.1750959731644104e-66, 0, -7.1750959731644104e-66, -9.0955147170770166e-36, 0, 3.5875479865822052e-66, 0,
          -3.5875479865822052e-66, -7.1750959731644104e-66, 0, 7.1750959731644104e-66, 9.0955147170770166e-36,
          -9.0955147170770166e-36, -3.5875479865822052e-66, 9.0955147170770166e-36, 5.7649673452436871e-6}},
        {{0, -90, 0x1p-66, -89},
         0.22517030266633653,
         {-6.0845599652094941e+18, -0.31606027941427884, 6.0845599652094941e+18, 0.27482969733366347},
         {4.4896128191743452e+38, 0, -4.4896128191743452e+38, 6.0845599652094941e+18, 0, 0.18393972058572116, 0,
          -0.18393972058572116, -4.4896128191743452e+38, 0, 4.4896128191743452e+38, -6.0845599652094941e+18,
          6.0845599652094941e+18, -0.18393972058572116, -6.0845599652094941e+18, 0.22517030266633653}},
        {{1, 2, 1, 50},
         23.5,
         {0, -0.5, 0, 0.5},
         {1.9287498479639178e-22, 0, -1.9287498479639178e-22, 0, 0, 7.1258204137046755e-22, 0, -7.1258204137046755e-22,
          -1.9287498479639178e-22, 0, 1.9287498479639178e-22, 0, 0, -7.1258204137046755e-22, 0, 7.1258204137046755e-22}},
        {{0, 0, 0, -inf}, inf, {0, inf, 0, -inf}},
        {{0, -inf, 0, 0}, inf, {0, -0.5, 0, 0.5}},
        {{0, 0, 0, inf}, inf, {0, -0.5, 0, 0.5}},
        {{0, inf, 0, 0}, inf, {0, inf, 0, -inf}},
        {{1, -inf, 1, -inf}, 0, {0, 0, 0, 0}},
        {{2, -inf, 1, -inf}, inf, {inf, 0, -inf, -inf}},
        {{2, inf, 1, inf}, 0, {0, 0, 0, 0}},
        {{inf, 0, 0, 0}, inf, {inf, 0, -inf, -inf}},
        {{0, NaN, 0, 0}, NaN, {0, NaN, 0, NaN}},
        {{NaN, 0, 0, 0}, NaN, {NaN, 0, NaN, NaN}}};
    check_points<TestType, 4>(nn::ops::normal_kl_divergence, points, 16);
    const std::vector<Point> to_standard = {
        {{0, 0.0009765625}, 2.3849620826762142e-7, {0, 0.00048851974620826762}, {1, 0, 0, 0.50048851974620827}},
        {{0, -0x1p-16}, 5.8207364855123548e-11, {0, -7.6293363238851449e-6}, {1, 0, 0, 0.49999237066367611}},
        {{0, 0.4375}, 0.055665149317066549, {0, 0.27441514931706655}, {1, 0, 0, 0.77441514931706655}},
        {{0, -0.4375}, 0.041574263213946019, {0, -0.17717573678605398}, {1, 0, 0, 0.32282426321394602}},
        {{1, -20}, 10.000000001030577, {1, -0.49999999896942319}, {1, 0, 0, 1.0305768112192789e-9}},
        {{0.5, 2}, 2.3195280494653251, {0.5, 3.1945280494653251}, {1, 0, 0, 3.6945280494653251}},
        {{0, -100}, 49.5, {0, -0.5}, {1, 0, 0, 1.860037988010418e-44}},
        {{0, -inf}, inf, {0, -0.5}, {1, 0, 0, 0}},
        {{0, inf}, inf, {0, inf}},
        {{-inf, 0}, inf, {-inf, 0}, {1, 0, 0, 0.5}},
        {{0, NaN}, NaN, {0, NaN}},
        {{NaN, 0}, NaN, {NaN, 0}}};
    check_points<TestType, 2>(nn::ops::standard_normal_kl_divergence, to_standard, 4);
}

TEMPLATE_TEST_CASE("Bernoulli divergences and entropies keep their digits, and have their limits", "[distributions]", float,
                   double) {
    const std::vector<Point> divergences = {
        {{0, 0.0009765625},
         1.1920928481382998e-7,
         {-0.000244140625, 0.00024414060559744821},
         {0.25, -0.25, -0.25, 0.2499999403953647}},
        {{0.5, 0.500244140625},
         7.0035167854742596e-9,
         {-5.7373953174217405e-5, 5.737223761438123e-5},
         {0.23501776415346273, -0.23500371220159449, -0.23500371220159449, 0.23498965737832522}},
        {{-20, -20.00390625},
         1.5704898369070731e-14,
         {8.051381304460349e-12, -8.0356764061559345e-12},
         {2.0692049952131194e-9, -2.0611536139418493e-9, -2.0611536139418493e-9, 2.0531179375687544e-9}},
        {{20, 20.00390625},
         1.5704898369070731e-14,
         {-8.051381304460349e-12, 8.0356764061559345e-12},
         {2.0692049952131194e-9, -2.0611536139418493e-9, -2.0611536139418493e-9, 2.0531179375687544e-9}},
        {{20, 21},
         7.5825604037953744e-10,
         {-2.0611536139418493e-9, 1.3028975759739651e-9},
         {4.1223072193869902e-9, -2.0611536139418493e-9, -2.0611536139418493e-9, 7.5825604164128622e-10}},
        {{-20, -21},
         7.5825604037953744e-10,
         {2.0611536139418493e-9, -1.3028975759739651e-9},
         {4.1223072193869902e-9, -2.0611536139418493e-9, -2.0611536139418493e-9, 7.5825604164128622e-10}},
        {{1, -1},
         0.46211715726000976,
         {0.39322386648296371, -0.46211715726000976},
         {0.014896437895585034, -0.19661193324148185, -0.19661193324148185, 0.19661193324148185}},
        {{30, -30},
         29.999999999994385,
         {5.614573781303054e-12, -0.99999999999981285},
         {-5.520997551613619e-12, -9.3576229688384233e-14, -9.3576229688384233e-14, 9.3576229688384233e-14}},
        {{-3, 40},
         37.912100101790886,
         {-1.9425963684292217, 0.95257412682243321},
         {-1.7131610506896574, -0.045176659730912133, -0.045176659730912133, 4.248354255291589e-18}},
        {{10, 11},
         1.6700530803963706e-5,
         {-4.5395807735951671e-5, 2.8696446854339214e-5},
         {9.0787493726064867e-5, -4.5395807735951671e-5, -4.5395807735951671e-5, 1.6701142910603433e-5}},
        {{-10, -11},
         1.6700530803963706e-5,
         {4.5395807735951671e-5, -2.8696446854339214e-5},
         {9.0787493726064867e-5, -4.5395807735951671e-5, -4.5395807735951671e-5, 1.6701142910603433e-5}},
        {{50, 50.5},
         2.0547099372423758e-23,
         {-9.6437492398195889e-23, 7.5890393025772131e-23},
         {2.8931247719458767e-22, -1.9287498479639178e-22, -1.9287498479639178e-22, 1.1698459177061965e-22}},
        {{2, 12},
         1.0651073533716808,
         {-1.0499358540350652, 0.11919677784751534},
         {0.90461859596503714, -0.10499358540350652, -0.10499358540350652, 6.1441368513331753e-6}},
        {{2, 11.5},
         1.0055098782094339,
         {-0.99743906133331191, 0.11919279203113668},
         {0.86463734543696061, -0.10499358540350652, -0.10499358540350652, 1.0129888364156649e-5}},
        {{-60, -80},
         1.663737045092824e-25,
         {1.7513021525393041e-25, -8.7565107446480065e-27},
         {1.8388672601662693e-25, -8.7565107626965203e-27, -8.7565107626965203e-27, 1.8048513878454152e-35}},
        {{0.25, 200},
         86.879304528182985,
         {-49.16528302683527, 0.4378234991142019},
         {6.3599846100746736, -0.24613408273759835, -0.24613408273759835, 1.3838965267367375e-87}},
        {{inf, 1}, 0.31326168751822284, {0, -0.26894142136999512}, {0, 0, 0, 0.19661193324148185}},
        {{-inf, 1}, 1.3132616875182228, {0, 0.73105857863000488}, {0, 0, 0, 0.19661193324148185}},
        {{0x1p127, -0x1p127}, 0x1p127, {0, -1}},
        {{-0x1p127, 1}, 1.3132616875182228, {0, 0.73105857863000488}},
        {{inf, inf}, 0, {0, 0}},
        {{-inf, -inf}, 0, {0, 0}},
        {{inf, -inf}, inf, {NaN, -1}},
        {{1, inf}, inf, {-inf, 0.26894142136999512}},
        {{1, -inf}, inf, {inf, -0.73105857863000488}},
        {{NaN, 0}, NaN, {NaN, NaN}},
        {{0, NaN}, NaN, {NaN, NaN}},
        {{inf, NaN}, NaN, {NaN, NaN}}};
    check_points<TestType, 2>(nn::ops::bernoulli_kl_divergence, divergences, 16);
    const std::vector<Point> entropies = {{{20}, 4.3284225984118452e-8, {-4.1223072278836987e-8}, {3.9161918494960968e-8}},
                                          {{-20}, 4.3284225984118452e-8, {4.1223072278836987e-8}, {3.9161918494960968e-8}},
                                          {{50}, 9.8366242246159807e-21, {-9.6437492398195889e-21}, {9.4508742550231971e-21}},
                                          {{0}, 0.69314718055994531, {0}, {-0.25}},
                                          {{1}, 0.58220310888821795, {-0.19661193324148185}, {-0.10575418556853344}},
                                          {{-80}, 1.4619296241547863e-33, {1.4438811102763321e-33}, {1.425832596397878e-33}},
                                          {{inf}, 0, {0}, {0}},
                                          {{-inf}, 0, {0}, {0}},
                                          {{NaN}, NaN, {NaN}}};
    check_points<TestType, 1>(nn::ops::bernoulli_entropy, entropies, 4);
}

TEMPLATE_TEST_CASE("continuous Bernoulli densities and means keep their digits, and have their limits", "[distributions]",
                   float, double) {
    const std::vector<Point> densities = {
        {{1, 100}, 4.6051701859880914, {100, 0.01}, {0, 1, 1, -0.0001}},
        {{1, 1000}, 6.9077552789821371, {1000, 0.001}, {0, 1, 1, -1e-6}},
        {{0, -1000}, 6.9077552789821371, {-1000, -0.001}, {0, 1, 1, -1e-6}},
        {{0.5, 0.0009765625}, -3.973642953446365e-8, {0.0009765625, -8.1380207039829787e-5}, {0, 1, 1, -0.083333329359690499}},
        {{0.5, 0.25}, -0.0026028116738584847, {0.25, -0.020811664187798464}, {0, 1, 1, -0.083073561131346593}},
        {{1, 0.0009765625}, 0.00048824151357046554, {0.0009765625, 0.49991861979296017}, {0, 1, 1, -0.083333329359690499}},
        {{0, 0.4375}, -0.22671257797149001, {0.4375, -0.53634255496795638}, {0, 1, 1, -0.082541824559171912}},
        {{1, -0.4375}, -0.22671257797149001, {-0.4375, 0.53634255496795638}, {0, 1, 1, -0.082541824559171912}},
        {{1, 20}, 2.9957322756151446, {20, 0.049999997938846373}, {0, 1, 1, -0.0024999979388463691}},
        {{0, 20}, -17.004267724384855, {20, -0.95000000206115363}, {0, 1, 1, -0.0024999979388463691}},
        {{0.25, -3}, 0.39968146961081128, {-3, -0.030937636842077381}, {0, 1, 1, -0.055970105609051348}},
        {{0.999755859375, 1000}, 6.6636146539821371, {1000, 0.000755859375}, {0, 1, 1, -1e-6}},
        {{0.5, 2}, -0.16143936157119563, {2, -0.15651764274966565}, {0, 1, 1, -0.068984584758422383}},
        {{0x1p-20, -100000}, 11.417558033329603, {-100000, -9.04632568359375e-6}, {0, 1, 1, -1e-10}},
        {{0.25, 0.5}, -0.13539505099275674, {0.5, -0.29149408253679828}, {0, 1, 1, -0.082301910967236235}},
        {{1, -0.625}, -0.32872338588180585, {-0.625, 0.55174737231997152}, {0, 1, 1, -0.081730618034069395}},
        {{0, 1}, -0.54132485461291811, {1, -0.58197670686932642}, {0, 1, 1, -0.079326405792207681}},
        {{0.0009765625, 2}, -1.1594862365711956, {2, -0.65554108024966565}, {0, 1, 1, -0.068984584758422383}},
        {{0.75, -3}, -1.1003185303891887, {-3, 0.46906236315792262}, {0, 1, 1, -0.055970105609051348}},
        {{0.5, 3.75}, -0.52944545826752744, {3.75, -0.25741748412686246}, {0, 1, 1, -0.046446913998136535}},
        {{0, -3.9375}, 1.3902354718814864, {-3.9375, -0.23408367019567937}, {0, 1, 1, -0.044219893579300415}},
        {{1, 4}, 1.4047798079457772, {4, 0.23134263963622595}, {0, 1, 1, -0.043494542540482225}},
        {{0.25, -4.5}, 0.39024855904457101, {-4.5, 0.039011570480263328}, {0, 1, 1, -0.038022725248414748}},
        {{1, inf}, inf, {inf, 0}},
        {{0, -inf}, inf, {-inf, 0}},
        {{0.75, inf}, -inf, {inf, -0.25}, {0, 1, 1, 0}},
        {{0.75, -inf}, -inf, {-inf, 0.75}, {0, 1, 1, 0}},
        {{0, inf}, -inf, {inf, -1}},
        {{0.5, NaN}, NaN, {NaN, NaN}},
        {{NaN, 1}, NaN, {1, NaN}},
        {{NaN, -inf}, NaN, {-inf, NaN}}};
    check_points<TestType, 2>(nn::ops::continuous_bernoulli_log_prob, densities, 16);
    const std::vector<Point> means = {{{-1000000.0}, 1e-6, {1e-12}, {2e-18}},
                                      {{1000}, 0.999, {1e-6}, {-2e-9}},
                                      {{-100}, 0.01, {0.0001}, {2e-6}},
                                      {{0.25}, 0.52081166418779846, {0.083073561131346593}, {-0.0020730331555221533}},
                                      {{-0.25}, 0.47918833581220154, {0.083073561131346593}, {0.0020730331555221533}},
                                      {{0x1p-20}, 0.5000000794728597, {0.083333333333329544}, {-7.9472859700515097e-9}},
                                      {{0.5}, 0.54149408253679828, {0.082301910967236235}, {-0.004085068147780116}},
                                      {{-0.625}, 0.44825262768002848, {0.081730618034069395}, {0.0050501208734686367}},
                                      {{1}, 0.58197670686932642, {0.079326405792207681}, {-0.0077052328750126071}},
                                      {{-2}, 0.34348235725033435, {0.068984584758422383}, {0.012320372568495127}},
                                      {{3}, 0.71906236315792262, {0.055970105609051348}, {-0.013154765794997115}},
                                      {{4}, 0.76865736036377405, {0.043494542540482225}, {-0.011535359203081024}},
                                      {{-4.25}, 0.22082347105018733, {0.040683275589504916}, {0.010948422174298038}},
                                      {{6}, 0.83581824499017792, {0.02528669133499087}, {-0.0067557925569925742}},
                                      {{-10}, 0.099954598008990312, {0.0099545959476495246}, {0.0019545918247807713}},
                                      {{inf}, 1, {0}, {0}},
                                      {{-inf}, 0, {0}, {0}},
                                      {{NaN}, NaN, {NaN}}};
    check_points<TestType, 1>(nn::ops::continuous_bernoulli_mean, means, 4);
    // Just below 4 the second derivative is the difference of two terms, which are together 1.9 times as large, and each is
    // a product of four numbers that are rounded.
    check_points<TestType, 1>(nn::ops::continuous_bernoulli_mean,
                              {{{3.75}, 0.75741748412686246, {0.046446913998136535}, {-0.012073696328010939}}}, 8);
}

// Uniform draws are multiples of 2^-24 or 2^-53, and 0 is one of them. Numbers from mpmath; the quantile has the
// rounding of numbers up to 1, whatever its size.
TEMPLATE_TEST_CASE("continuous Bernoulli quantiles are right to the ends of [0, 1], for all logits", "[distributions]", float,
                   double) {
    struct Row {
        double u, logit, expected;
    };
    const std::vector<Row> rows = {{0, 20, 0},
                                   {0x1p-24, 20, 0.16992318086686082},
                                   {0.25, 20, 0.93068528225317851},
                                   {0.75, 20, 0.98561589641176351},
                                   {1 - 0x1p-24, 20, 0.99999999701976768},
                                   {1, 20, 1.0},
                                   {0, -20, 0},
                                   {0x1p-24, -20, 2.9802323214446599e-9},
                                   {0.25, -20, 0.014384103588236486},
                                   {0.75, -20, 0.069314717746821489},
                                   {1 - 0x1p-24, -20, 0.83007681913313918},
                                   {1, -20, 1.0},
                                   {0, 0.25, 0},
                                   {0x1p-24, 0.25, 6.7716935702222617e-8},
                                   {0.25, 0.25, 0.27439489752663363},
                                   {0.75, 0.25, 0.77244938008185587},
                                   {1 - 0x1p-24, 0.25, 0.99999994726199665},
                                   {1, 0.25, 1.0},
                                   {0, -0.25, 0},
                                   {0x1p-24, -0.25, 5.2738003346156064e-8},
                                   {0.25, -0.25, 0.22755061991814413},
                                   {0.75, -0.25, 0.72560510247336637},
                                   {1 - 0x1p-24, -0.25, 0.9999999322830643},
                                   {1, -0.25, 1.0},
                                   {0, 10, 0},
                                   {0x1p-24, 10, 0.00013119590699225902},
                                   {0.25, 10, 0.86138418293950476},
                                   {0.75, 10, 0.97123330607436325},
                                   {1 - 0x1p-24, 10, 0.99999999403980595},
                                   {1, 10, 1.0},
                                   {0, 1000, 0},
                                   {0x1p-24, 1000, 0.98336446766656131},
                                   {0.25, 1000, 0.99861370563888011},
                                   {0.75, 1000, 0.99971231792754822},
                                   {1 - 0x1p-24, 1000, 0.99999999994039535},
                                   {1, 1000, 1.0},
                                   {0, -1000, 0},
                                   {0x1p-24, -1000, 5.9604646551747535e-11},
                                   {0.25, -1000, 0.00028768207245178093},
                                   {0.75, -1000, 0.0013862943611198906},
                                   {1 - 0x1p-24, -1000, 0.016635532333438687},
                                   {1, -1000, 1},
                                   {0, 80, 0},
                                   {0x1p-24, 80, 0.79205584583201641},
                                   {0.25, 80, 0.98267132048600137},
                                   {0.75, 80, 0.99640397409435274},
                                   {1 - 0x1p-24, 80, 0.99999999925494192},
                                   {1, 80, 1.0},
                                   {0, -80, 0},
                                   {0x1p-24, -80, 7.4505808189684419e-10},
                                   {0.25, -80, 0.0035960259056472616},
                                   {0.75, -80, 0.017328679513998633},
                                   {1 - 0x1p-24, -80, 0.20794415416798359},
                                   {1, -80, 1.0},
                                   {0, 3, 0},
                                   {0x1p-24, 3, 3.7919533386766727e-7},
                                   {0.25, 3, 0.58430398436652198},
                                   {0.75, 3, 0.90959247113748756},
                                   {1 - 0x1p-24, 3, 0.99999998112096472},
                                   {1, 3, 1.0},
                                   {0, 0, 0},
                                   {1, 0, 1},
                                   {0.25, 0, 0.25},
                                   {0.25, 0x1p-149, 0.25},
                                   {0.75, -0x1p-149, 0.75},
                                   {0.75, 0x1p-126, 0.75},
                                   {0.25, 0x1p-90, 0.25},
                                   {0, inf, 1},
                                   {0.5, inf, 1},
                                   {1, inf, 1},
                                   {0, -inf, 0},
                                   {0.5, -inf, 0},
                                   {1, -inf, 0},
                                   {0.5, NaN, NaN},
                                   {NaN, 2, NaN},
                                   {NaN, inf, NaN},
                                   {NaN, 0, NaN}};
    auto u = autograd::empty<TestType>({rows.size()}), logits = u;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        u(i) = static_cast<TestType>(rows[i].u);
        logits(i) = static_cast<TestType>(rows[i].logit);
    }
    Tape<TestType> tape;
    const auto found = nn::ops::continuous_bernoulli_quantile(tape.constant(u), tape.constant(logits));
    constexpr double epsilon = static_cast<double>(std::numeric_limits<TestType>::epsilon());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const double value = static_cast<double>(found.value()(i)), expected = rows[i].expected;
        INFO(rows[i].u << ", " << rows[i].logit << ": " << value << ", not " << expected);
        CHECK((std::isnan(expected) ? std::isnan(value) : std::fabs(value - expected) <= 8 * epsilon));
        if (!std::isnan(expected)) CHECK((value >= 0 && value <= 1));
    }
}

TEST_CASE("rsample is mean + sigma epsilon, a new epsilon for each element and draw", "[distributions]") {
    Tape<double> tape;
    Rng rng{4};
    const std::size_t rows = 400, columns = 50;
    const Var<double> mean = tape.variable(autograd::full<double>({rows, columns}, 3));
    const Var<double> log_variance = tape.variable(autograd::full<double>({rows, columns}, std::log(4.0)));
    const nn::Normal q{mean, log_variance};
    Rng replay = rng;
    const Var<double> z = q.rsample(rng);
    const Array<double> epsilon = replay.normal<double>({rows, columns});
    const auto grads = backward(sum(z));
    for (std::size_t i = 0; i < epsilon.size(); ++i) {
        CHECK(z.value().data()[i] == Approx(3 + 2 * epsilon.data()[i]).epsilon(1e-14));
        CHECK(grads[mean].data()[i] == 1);
        CHECK(grads[log_variance].data()[i] == Approx(epsilon.data()[i]).epsilon(1e-14));  // sigma / 2 * epsilon
    }
    const Moments m = moments(z.value());
    CHECK(std::fabs(m.mean - 3) < false_alarm * m.standard_error);
    CHECK(std::fabs(m.variance - 4) < false_alarm * 4 * std::sqrt(2.0 / static_cast<double>(rows * columns)));

    // Rows are independent: the products of neighbours have mean 0 and variance 1. And so are draws.
    const Var<double> again = q.rsample(rng);
    Array<double> neighbours = autograd::empty<double>({rows - 1, columns});
    Array<double> draws = autograd::empty<double>({rows, columns});
    const auto standard = [](const Var<double>& v, std::size_t i, std::size_t j) { return (v.value()(i, j) - 3) / 2; };
    for (std::size_t j = 0; j < columns; ++j) {
        for (std::size_t i = 0; i + 1 < rows; ++i) neighbours(i, j) = standard(z, i, j) * standard(z, i + 1, j);
        for (std::size_t i = 0; i < rows; ++i) draws(i, j) = standard(z, i, j) * standard(again, i, j);
    }
    for (const auto& products : {neighbours, draws}) {
        const Moments p = moments(products);
        CHECK(std::fabs(p.mean) < false_alarm * p.standard_error);
    }
}

TEST_CASE("rsample is differentiable with its noise replayed, sample is not at all", "[distributions]") {
    Rng rng{4};
    const Array<double> mean = rng.normal<double>({3, 2});
    const Array<double> log_variance = rng.normal<double>({3, 2});
    CHECK(autograd::gradcheck(
        [](auto m, auto l, Rng& noise) {
            return square(nn::Normal{m, l}.rsample(noise));
        },
        {mean, log_variance}, rng));

    Tape<double> tape;
    const Var<double> m = tape.variable(mean);
    const nn::Normal q{m, tape.variable(log_variance)};
    Rng one{1}, other{1};
    const Var<double> sample = q.sample(one);
    CHECK(sample.value() == q.rsample(other).value());
    CHECK_THROWS_AS(backward(sum(sample)), autograd::GradientError);
    CHECK(why_no_gradient(sum(sample), m).find("stop_gradient") != std::string::npos);
    const nn::Bernoulli bernoulli{m};
    CHECK_THROWS_AS(backward(sum(bernoulli.sample(one))), autograd::GradientError);
}

TEST_CASE("closed forms agree with averages over samples", "[distributions]") {
    Rng rng{9};
    Tape<double> tape;
    const autograd::Shape many{200000};
    const auto fill = [&](double value) { return tape.constant(autograd::full<double>(many, value)); };
    const auto check = [](const Array<double>& samples, double closed_form) {
        const Moments m = moments(samples);
        CHECK(std::fabs(m.mean - closed_form) < false_alarm * m.standard_error);
        CHECK(m.standard_error < 0.02 * closed_form);  // else the test would pass for nothing
    };
    {
        const nn::Normal p{fill(0.7), fill(-0.5)}, q{fill(-0.4), fill(0.3)};
        const nn::Normal standard{fill(0), fill(0)};
        const Var<double> x = p.sample(rng);
        check((p.log_prob(x) - q.log_prob(x)).value(), kl_divergence(p, q).value()(0));
        check((p.log_prob(x) - standard.log_prob(x)).value(), kl_divergence(p, nn::StandardNormal{}).value()(0));
        check((-p.log_prob(x)).value(), p.entropy().value()(0));
    }
    {
        const nn::Bernoulli p{fill(0.8)}, q{fill(-0.3)};
        const Var<double> x = p.sample(rng);
        const Moments m = moments(x.value());
        CHECK(std::fabs(m.mean - 1 / (1 + std::exp(-0.8))) < false_alarm * m.standard_error);
        check((p.log_prob(x) - q.log_prob(x)).value(), kl_divergence(p, q).value()(0));
        check((-p.log_prob(x)).value(), p.entropy().value()(0));
    }
}

TEST_CASE("the constants of the normal distribution are there", "[distributions]") {
    Tape<double> tape;
    const auto fill = [&](double value) { return tape.variable(Array<double>{value}); };
    const nn::Normal p{fill(1), fill(std::log(9.0))};
    // At the mean the density is 1 / (sigma sqrt(2 pi)); one sigma from it, exp(-1/2) of that.
    const double peak = -std::log(3 * std::sqrt(2 * 3.14159265358979323846));
    CHECK(p.log_prob(fill(1)).item() == Approx(peak).epsilon(1e-14));
    CHECK(p.log_prob(fill(4)).item() == Approx(peak - 0.5).epsilon(1e-14));
    CHECK(p.entropy().item() == Approx(0.5 - peak).epsilon(1e-14));
    // The gradients which Kingma and Welling's form has: mu and (exp(log variance) - 1) / 2.
    const auto grads = backward(kl_divergence(p, nn::StandardNormal{}));
    CHECK(grads[p.mean](0) == 1);
    CHECK(grads[p.log_variance](0) == Approx(4.0).epsilon(1e-14));
}

// Simpson's rule with 2000 intervals: its error is at most (1/2000)^4 / 180 times the fourth derivative, which at logit
// 20 is 20^4 times the density's maximum of 20: 1e-9.
TEST_CASE("the continuous Bernoulli density integrates to 1, and its mean is what it says", "[distributions]") {
    constexpr std::size_t intervals = 2000;
    for (const double logit : {0.0, 1e-9, -1e-3, 0.3, -0.4999, 0.5, 0.5001, -2.0, 7.0, 20.0, -20.0}) {
        INFO(logit);
        Tape<double> tape;
        Array<double> x = autograd::empty<double>({intervals + 1});
        for (std::size_t i = 0; i <= intervals; ++i) x(i) = static_cast<double>(i) / intervals;
        const nn::ContinuousBernoulli p{tape.constant(autograd::full<double>({intervals + 1}, logit))};
        const Array<double> log_density = p.log_prob(tape.constant(x)).value();
        double total = 0, mean = 0;
        for (std::size_t i = 0; i <= intervals; ++i) {
            const double weight = (i == 0 || i == intervals ? 1.0 : i % 2 == 1 ? 4.0 : 2.0) / (3.0 * intervals);
            total += weight * std::exp(log_density(i));
            mean += weight * x(i) * std::exp(log_density(i));
        }
        CHECK(std::fabs(total - 1) < 2e-9);
        CHECK(std::fabs(mean - p.mean().value()(0)) < 2e-9);
    }
}

TEST_CASE("the continuous Bernoulli distribution keeps its digits near probability 1/2 and far from it", "[distributions]") {
    // The series and the formula meet at 1/2: there their difference is the rounding of the second, 50 times the
    // mean's.
    Tape<double> tape;
    const auto above_half = [&](double logit) {
        return nn::ContinuousBernoulli{tape.constant(Array<double>{logit})}.mean().item() - 0.5;
    };
    CHECK(std::fabs(above_half(std::nextafter(0.5, 0.0)) - above_half(0.5)) < 50 * 2.3e-16 * 0.5);
    CHECK(above_half(1e-8) == Approx(1e-8 / 12).epsilon(1e-7));  // the mean itself has 16 digits
    CHECK(above_half(0) == 0);
    // log C = log 2 + logit^2 / 12, the density at x = 1/2 without its maximum.
    const auto log_prob = [](auto x, auto logit) {
        Tape<decltype(x)> own;
        const auto l = own.variable(Array<decltype(x)>{logit});
        const auto value = nn::ContinuousBernoulli{l}.log_prob(own.constant(Array<decltype(x)>{x}));
        return std::pair{static_cast<double>(value.item()), static_cast<double>(backward(value)[l](0))};
    };
    CHECK(std::fabs(log_prob(0.5, 0.0).first) < 3e-16);  // the rounding of two logarithms of 2
    CHECK(log_prob(0.5, 0.0).second == 0);
    // Far out, log((e^l - 1) / l) is l - log l: at x = 1 log 100 is left, and the mean is 1 - 1/100.
    for (const double sign : {1.0, -1.0}) {
        const auto [value, gradient] = log_prob(sign > 0 ? 1.0 : 0.0, sign * 100);
        CHECK(value == Approx(std::log(100.0)).epsilon(1e-13));
        CHECK(gradient == Approx(sign * 0.01).epsilon(1e-11));
        const auto [narrow, narrow_gradient] = log_prob(sign > 0 ? 1.0F : 0.0F, static_cast<float>(sign) * 1000.0F);
        CHECK(narrow == Approx(std::log(1000.0)).epsilon(1e-4));  // 1000 - 1000 + 6.9 in float
        CHECK(narrow_gradient == Approx(sign * 0.001).epsilon(1e-3));
    }
}

TEST_CASE("continuous Bernoulli samples have its mean, and lie in [0, 1]", "[distributions]") {
    Rng rng{12};
    Tape<double> tape;
    for (const double logit : {-30.0, -2.0, 0.0, 1e-12, 0.7, 40.0}) {
        INFO(logit);
        const nn::ContinuousBernoulli p{tape.variable(autograd::full<double>({40000}, logit))};
        const Var<double> sample = p.sample(rng);
        const Moments m = moments(sample.value());
        CHECK(std::fabs(m.mean - p.mean().value()(0)) < false_alarm * m.standard_error);
        CHECK(*std::min_element(sample.value().begin(), sample.value().end()) >= 0);
        CHECK(*std::max_element(sample.value().begin(), sample.value().end()) <= 1);
        CHECK_THROWS_AS(backward(sum(sample)), autograd::GradientError);
        tape.clear();
    }
}

TEST_CASE("a KL divergence is 0 between equals, and keeps its digits close to it", "[distributions]") {
    Tape<float> tape;
    const auto fill = [&](float value) { return tape.variable(Array<float>{value}); };
    const nn::Normal p{fill(0.3F), fill(-0.2F)};
    CHECK(kl_divergence(p, p).item() == 0);
    CHECK(kl_divergence(nn::Normal{fill(0), fill(0)}, nn::StandardNormal{}).item() == 0);
    for (const float logit : {-100.0F, -5.0F, 0.0F, 5.0F, 100.0F}) {
        CHECK(kl_divergence(nn::Bernoulli{fill(logit)}, nn::Bernoulli{fill(logit)}).item() == 0);
    }
    // log variance 1e-3: (e^x - 1 - x) / 2 = x^2 / 4 (1 + x / 3 + ...), of which float's exp(x) - 1 - x has no digit
    // right.
    const double x = static_cast<double>(1e-3F);
    const double expected = x * x / 4 * (1 + x / 3 + x * x / 12);
    const float small = kl_divergence(nn::Normal{fill(0), fill(1e-3F)}, nn::StandardNormal{}).item();
    // expm1(x) and x agree in their first 11 bits; what is left of 24 bits is 2^-13.
    CHECK(std::fabs(static_cast<double>(small) / expected - 1) < 1.0 / (1 << 12));
    CHECK(kl_divergence(nn::Normal{fill(0), fill(-1e-4F)}, nn::StandardNormal{}).item() >= 0);
    // p is 1 - e^-50, which float cannot tell from 1.
    CHECK(nn::Bernoulli{fill(50)}.entropy().item() == Approx(51 * std::exp(-50.0)).epsilon(1e-6));
}

TEST_CASE("distributions refuse shapes which would broadcast", "[distributions]") {
    Tape<float> tape;
    Rng rng{1};
    const auto column = tape.constant(autograd::full<float>({4, 1}, 1.0F));
    const auto row = tape.constant(autograd::full<float>({4}, 1.0F));
    const nn::Normal good{row, row}, other{column, column}, bad{row, column};
    CHECK_THROWS_AS(bad.rsample(rng), autograd::ShapeError);
    CHECK_THROWS_WITH(bad.rsample(rng), contains("Normal::rsample: "));
    CHECK_THROWS_WITH(bad.sample(rng), contains("Normal::sample: "));
    CHECK_THROWS_AS(bad.entropy(), autograd::ShapeError);
    CHECK_THROWS_AS(bad.log_prob(row), autograd::ShapeError);
    CHECK_THROWS_AS(good.log_prob(column), autograd::ShapeError);
    CHECK_THROWS_AS(kl_divergence(bad, nn::StandardNormal{}), autograd::ShapeError);
    CHECK_THROWS_AS(kl_divergence(good, other), autograd::ShapeError);
    CHECK_THROWS_AS(kl_divergence(good, bad), autograd::ShapeError);
    CHECK_THROWS_AS(kl_divergence(nn::Bernoulli{row}, nn::Bernoulli{column}), autograd::ShapeError);
    CHECK_THROWS_AS(nn::Bernoulli{row}.log_prob(column), autograd::ShapeError);
    CHECK_THROWS_AS(nn::ContinuousBernoulli{row}.log_prob(column), autograd::ShapeError);
}
