// The specs of contractions. The reference goes through all values of all letters and adds up the products.
#include "autograd/ops/einsum.hpp"

#include <map>

#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

using Arrays = std::span<const Array<double>>;
using Letters = std::vector<std::string>;

/// The definition: the sum of the products of the operands' elements, for each value of the letters of the result.
Array<double> add_up(Arrays x, const Letters& operands, const std::string& result) {
    std::map<char, std::size_t> extents;
    for (std::size_t k = 0; k < operands.size(); ++k) {
        for (std::size_t axis = 0; axis < operands[k].size(); ++axis) extents[operands[k][axis]] = x[k].shape()[axis];
    }
    std::size_t total = 1;
    for (const auto& [letter, extent] : extents) total *= extent;
    Shape shape;
    for (const char letter : result) shape.push_back(extents[letter]);
    auto out = full<double>(shape, 0);
    std::map<char, std::size_t> at;
    const auto place = [&](const std::string& letters) {
        std::size_t index = 0;
        for (const char letter : letters) index = index * extents[letter] + at[letter];
        return index;
    };
    for (std::size_t i = 0; i < total; ++i) {
        std::size_t rest = i;
        for (const auto& [letter, extent] : extents) {
            at[letter] = rest % extent;
            rest /= extent;
        }
        double term = 1;
        for (std::size_t k = 0; k < operands.size(); ++k) term *= x[k].data()[place(operands[k])];
        out.data()[place(result)] += term;
    }
    return out;
}

/// The same, from the left, two at a time: where infinities meet, the order decides.
Array<double> add_up_in_turn(Arrays x, const Letters& operands, const Letters& totals) {
    Array<double> total = x[0];
    for (std::size_t k = 1; k < x.size(); ++k) {
        const Array<double> both[] = {total, x[k]};
        total = add_up(both, {totals[k - 1], operands[k]}, totals[k]);
    }
    return total;
}

template <class V>
auto einsum_of(const std::string& subscripts, const V& v) {
    return einsum(subscripts, v);
}

OpSpec einsum_spec() {
    OpSpec spec{.name = "einsum", .documentation = ops::words::einsum, .ulps = 40};
    struct Case {
        const char* subscripts;
        std::vector<Shape> shapes;
        Letters operands;
        std::string result;
        Letters totals{};  ///< what is left after each operand, where that is said
    };
    for (const Case& each : {
             Case{"ij,jk->ik", {{2, 3}, {3, 4}}, {"ij", "jk"}, "ik"},
             {"ij,jk", {{2, 3}, {3, 4}}, {"ij", "jk"}, "ik"},
             {"ba", {{2, 3}}, {"ba"}, "ab"},
             {"ji,kj->ik", {{3, 2}, {4, 3}}, {"ji", "kj"}, "ik"},
             {"ij,kj->ki", {{2, 3}, {4, 3}}, {"ij", "kj"}, "ki"},
             {"bij,bjk->bik", {{2, 3, 4}, {2, 4, 2}}, {"bij", "bjk"}, "bik"},
             {"bhqd,bhkd->bhqk", {{2, 2, 3, 4}, {2, 2, 2, 4}}, {"bhqd", "bhkd"}, "bhqk"},
             {"ibj,jbk->kbi", {{2, 3, 4}, {4, 3, 2}}, {"ibj", "jbk"}, "kbi"},
             {"i,i->", {{5}, {5}}, {"i", "i"}, ""},
             {"i,j->ij", {{2}, {3}}, {"i", "j"}, "ij"},
             {"i,i->i", {{5}, {5}}, {"i", "i"}, "i"},
             {"ij->", {{2, 3}}, {"ij"}, ""},
             {"ij->j", {{2, 3}}, {"ij"}, "j"},
             {"ij,kj,k->i", {{2, 3}, {4, 3}, {4}}, {"ij", "kj", "k"}, "i", {"ij", "ik", "i"}},
             {"ii", {{3, 3}}, {"ii"}, ""},
             {"ii->i", {{3, 3}}, {"ii"}, "i"},
             {"iji->j", {{2, 3, 2}}, {"iji"}, "j"},
             {"iii->i", {{3, 3, 3}}, {"iii"}, "i"},
             {"iij,jk->ki", {{2, 2, 3}, {3, 4}}, {"iij", "jk"}, "ki"},
             {" i , ij , j -> ", {{2}, {2, 3}, {3}}, {"i", "ij", "j"}, "", {"i", "j", ""}},
             {"ij,jk,kl->il", {{2, 3}, {3, 2}, {2, 4}}, {"ij", "jk", "kl"}, "il", {"ij", "ik", "il"}},
             {"ai,bi,ci,di->abcd", {{2, 3}, {2, 3}, {1, 3}, {2, 3}}, {"ai", "bi", "ci", "di"}, "abcd"},
             {"->", {{}}, {""}, ""},
             {",i->i", {{}, {3}}, {"", "i"}, "i"},
             {"ij,jk->ik", {{2, 0}, {0, 3}}, {"ij", "jk"}, "ik"},
             {"bij,bjk->ik", {{0, 2, 3}, {0, 3, 2}}, {"bij", "bjk"}, "ik"},
         }) {
        spec.cases.push_back({.name = each.subscripts,
                              .shapes = each.shapes,
                              .call = [text = std::string(each.subscripts)](auto v) { return einsum_of(text, v); },
                              .reference =
                                  [each](Arrays x) {
                                      return each.totals.empty() ? add_up(x, each.operands, each.result)
                                                                 : add_up_in_turn(x, each.operands, each.totals);
                                  }});
    }
    // An operand's own sum comes before all products.
    spec.cases.push_back({.name = "ij,k->i",
                          .shapes = {{2, 3}, {4}},
                          .call = [](auto v) { return einsum("ij,k->i", v[0], v[1]); },
                          .reference =
                              [](Arrays x) {
                                  const Array<double> sums[] = {add_up(x.first(1), {"ij"}, "i"), add_up(x.last(1), {"k"}, "")};
                                  return add_up(sums, {"i", ""}, "i");
                              }});
    // einsum() of several arguments, and of one as two.
    spec.cases.push_back({.name = "x x'",
                          .shapes = {{2, 3}},
                          .call = [](auto v) { return einsum("ij,kj->ik", v[0], v[0]); },
                          .reference =
                              [](Arrays x) {
                                  const Array<double> both[] = {x[0], x[0]};
                                  return add_up(both, {"ij", "kj"}, "ik");
                              }});
    const auto call = [](const char* subscripts) {
        return [text = std::string(subscripts)](auto v) { return einsum_of(text, v); };
    };
    spec.misuses = {{{{2, 3}, {4, 2}}, call("ij,jk->ik"), {"einsum", "ij,jk->ik", "'j' is 3", "operand 1", "(4, 2)", "4"}},
                    {{{2, 3}}, call("ii->i"), {"einsum", "'i' is 2", "(2, 3)"}},
                    {{{2, 3}}, call("ijk->i"), {"einsum", "\"ijk\"", "operand 0", "(2, 3)"}},
                    {{{2, 3}}, call("ij,jk->ik"), {"einsum", "2 operands", "there are 1"}},
                    {{{2, 3}}, call("ij->k"), {"einsum", "'k'", "no operand"}},
                    {{{2, 3}}, call("ij->ii"), {"einsum", "'i'", "twice"}},
                    {{{2, 3}}, call("...j->j"), {"einsum", "ellipsis"}},
                    {{{2, 3}}, call("i1->i"), {"einsum", "'1'"}}};
    return spec;
}

OpSpec tensordot_spec() {
    OpSpec spec{.name = "tensordot", .documentation = ops::words::tensordot, .ulps = 40};
    struct Case {
        Shape a, b;
        std::size_t axes;
        AxisList left, right;
        Letters operands;
        std::string result;
    };
    for (const Case& each : {Case{{2, 3, 4}, {3, 4, 2}, 2, {}, {}, {"abc", "bcd"}, "ad"},
                             {{2, 3}, {3, 4}, 1, {}, {}, {"ab", "bc"}, "ac"},
                             {{2, 3}, {4}, 0, {}, {}, {"ab", "c"}, "abc"},
                             {{}, {}, 0, {}, {}, {"", ""}, ""},
                             {{2, 3}, {2, 3}, 2, {}, {}, {"ab", "ab"}, ""},
                             {{2, 0}, {0, 3}, 1, {}, {}, {"ab", "bc"}, "ac"},
                             {{2, 3, 4}, {4, 5, 2}, 9, {0, -1}, {2, 0}, {"abc", "cda"}, "bd"},
                             {{2, 3, 4}, {5, 3}, 9, {1}, {-1}, {"abc", "db"}, "acd"}}) {
        spec.cases.push_back({.name = to_string(each.a) + " " + to_string(each.b),
                              .shapes = {each.a, each.b},
                              .call =
                                  [each](auto v) {
                                      return each.left.empty() ? tensordot(v[0], v[1], each.axes)
                                                               : tensordot(v[0], v[1], each.left, each.right);
                                  },
                              .reference = [each](Arrays x) { return add_up(x, each.operands, each.result); }});
    }
    const auto pairs = [](const AxisList& left, const AxisList& right) {
        return [left, right](auto v) { return tensordot(v[0], v[1], left, right); };
    };
    spec.misuses = {
        {{{2, 3}, {2, 4}}, [](auto v) { return tensordot(v[0], v[1], 1); }, {"tensordot", "(2, 3) and (2, 4)", "3 and 2"}},
        {{{2}, {2, 4}}, [](auto v) { return tensordot(v[0], v[1]); }, {"tensordot", "(2,) and (2, 4)", "2 axes"}},
        {{{2, 3}, {2, 3}}, pairs({0, 1}, {0}), {"tensordot", "2 and 1"}},
        {{{2, 2}, {2, 2}}, pairs({0, -2}, {0, 1}), {"tensordot", "twice"}},
        {{{2, 2}, {2, 2}}, pairs({0, 1}, {1, 1}), {"tensordot", "twice"}},
        {{{2, 2}, {2, 2}}, pairs({2}, {0}), {"tensordot", "axis 2", "rank 2"}}};
    return spec;
}

}  // namespace

std::vector<OpSpec> einsum_specs() { return {einsum_spec(), tensordot_spec()}; }

}  // namespace autograd::specs
