// The order of rows in an epoch, and the copying of rows.
#include <nn/data/batches.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/catch.hpp"

namespace {

using Rows = std::vector<std::size_t>;

std::vector<Rows> batches_of(const nn::Batches& batches, std::size_t epoch) {
    std::vector<Rows> result;
    for (const auto rows : batches.epoch(epoch)) result.emplace_back(rows.begin(), rows.end());
    return result;
}

Rows joined(const std::vector<Rows>& batches) {
    Rows result;
    for (const Rows& rows : batches) result.insert(result.end(), rows.begin(), rows.end());
    return result;
}

Rows counting(std::size_t count) {
    Rows rows(count);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return rows;
}

template <class T>
std::vector<T> values(const autograd::Array<T>& array) {
    return {array.data(), array.data() + array.size()};
}

}  // namespace

TEST_CASE("batches in order", "[batches]") {
    CHECK(batches_of({7, 3}, 1) == std::vector<Rows>{{0, 1, 2}, {3, 4, 5}, {6}});
    CHECK(batches_of({7, 3, nn::BatchOptions{.drop_last = true}}, 5) == std::vector<Rows>{{0, 1, 2}, {3, 4, 5}});
    CHECK(batches_of({6, 3}, 1) == std::vector<Rows>{{0, 1, 2}, {3, 4, 5}});
    CHECK(batches_of({2, 3}, 1) == std::vector<Rows>{{0, 1}});
    CHECK(batches_of({2, 3, nn::BatchOptions{.drop_last = true}}, 1).empty());
    CHECK(batches_of({0, 3}, 1).empty());
    CHECK(nn::Batches(7, 3).size() == 3);
    CHECK(nn::Batches(7, 3, {.drop_last = true}).size() == 2);
    CHECK(nn::Batches(0, 3).size() == 0);
    CHECK_THROWS_WITH(nn::Batches(7, 0), "Batches: expected a batch size of at least 1, found 0");
}

TEST_CASE("shuffled batches hold every row once", "[batches]") {
    const nn::Batches batches(1000, 128, autograd::Rng{1}.stream("shuffle"));
    const auto first = batches_of(batches, 1);
    CHECK(first.size() == batches.size());
    CHECK(first.size() == 8);
    CHECK(first.front().size() == 128);
    CHECK(first.back().size() == 1000 - 7 * 128);
    Rows order = joined(first);
    CHECK(order != counting(1000));
    std::sort(order.begin(), order.end());
    CHECK(order == counting(1000));
}

TEST_CASE("an epoch's order depends on the generator and the number only", "[batches]") {
    autograd::Rng rng = autograd::Rng{1}.stream("shuffle");
    const nn::Batches batches(1000, 128, rng);
    const auto third = batches_of(batches, 3);
    CHECK(third != batches_of(batches, 1));
    CHECK(third == batches_of(batches, 3));
    CHECK(third == batches_of(nn::Batches(1000, 128, rng), 3));
    CHECK(joined(third) == joined(batches_of(nn::Batches(1000, 7, rng), 3)));
    CHECK(third != batches_of(nn::Batches(1000, 128, autograd::Rng{2}.stream("shuffle")), 3));
    CHECK(rng.draws() == 0);
}

TEST_CASE("rows are gathered", "[batches]") {
    const autograd::Array<float> from{{0.0F, 1.0F}, {10.0F, 11.0F}, {20.0F, 21.0F}};
    autograd::Array<float> out;
    nn::gather_rows(from, Rows{2, 0, 2}, out);
    CHECK(out.shape() == autograd::Shape({3, 2}));
    CHECK(values(out) == std::vector<float>{20.0F, 21.0F, 0.0F, 1.0F, 20.0F, 21.0F});

    const float* memory = out.data();
    nn::gather_rows(from, Rows{1, 1, 0}, out);
    CHECK(values(out) == std::vector<float>{10.0F, 11.0F, 10.0F, 11.0F, 0.0F, 1.0F});
    CHECK(out.data() == memory);

    nn::gather_rows(from, Rows{1}, out);
    CHECK(out.shape() == autograd::Shape({1, 2}));
    CHECK(values(out) == std::vector<float>{10.0F, 11.0F});
    nn::gather_rows(from, Rows{}, out);
    CHECK(out.shape() == autograd::Shape({0, 2}));

    const autograd::Array<double> vector{5.0, 6.0};
    autograd::Array<double> picked;
    nn::gather_rows(vector, Rows{1, 1, 0}, picked);
    CHECK(values(picked) == std::vector<double>{6.0, 6.0, 5.0});

    const autograd::Array<float> deep = autograd::full<float>({3, 2, 4}, 1.0F);
    nn::gather_rows(deep, Rows{0, 2}, out);
    CHECK(out.shape() == autograd::Shape({2, 2, 4}));
}

TEST_CASE("rows which are not there", "[batches]") {
    autograd::Array<float> from = autograd::full<float>({1, 2}, 0.0F);
    autograd::Array<float> out = autograd::full<float>({1}, 7.0F);
    CHECK_THROWS_AS(nn::gather_rows(from, Rows{0, 1}, out), autograd::ShapeError);
    CHECK_THROWS_WITH(nn::gather_rows(from, Rows{0, 1}, out), "gather_rows: row 1 of an array of shape (1, 2)");
    CHECK_THROWS_AS(nn::gather_rows(autograd::full<float>({}, 1.0F), Rows{0}, out), autograd::ShapeError);
    CHECK_THROWS_AS(nn::gather_rows(from, Rows{0}, from), autograd::ShapeError);
    CHECK(values(out) == std::vector<float>{7.0F});
}

TEST_CASE("batches beyond the end, and numbers that are none", "[batches]") {
    const auto minus_one = static_cast<std::size_t>(-1);
    const nn::Batches batches(7, 3);
    const auto epoch = batches.epoch(1);
    CHECK(epoch[2].size() == 1);
    CHECK_THROWS_AS(epoch[3], autograd::Error);
    CHECK_THROWS_WITH(epoch[3], "Batches::Epoch: batch 3 of an epoch of 3");
    CHECK_THROWS_WITH(epoch[minus_one], "Batches::Epoch: batch -1 of an epoch of 3");
    CHECK_THROWS_WITH(*epoch.end(), contains("batch 3"));
    CHECK_THROWS_AS(nn::Batches(0, 3).epoch(1)[0], autograd::Error);
    const nn::Batches full_ones(7, 3, {.drop_last = true});
    CHECK_THROWS_WITH(full_ones.epoch(1)[2], "Batches::Epoch: batch 2 of an epoch of 2");
    CHECK_THROWS_WITH(nn::Batches(7, minus_one), contains("at least 1") && contains("found -1"));
    CHECK_THROWS_WITH(nn::Batches(minus_one, 3), contains("number of rows") && contains("found -1"));
    CHECK_THROWS_AS(nn::Batches(minus_one, 3, autograd::Rng{1}), autograd::Error);
    CHECK_THROWS_AS(nn::Batches::Epoch({0, 1, 2}, 2, 3), autograd::Error);
    CHECK_THROWS_AS(nn::Batches::Epoch({0, 1, 2}, 0, 1), autograd::Error);
    CHECK(nn::Batches::Epoch({0, 1, 2}, 2, 2)[1].size() == 1);
    auto moved = batches.epoch(1);
    const auto taken = std::move(moved);
    CHECK(taken[0].size() == 3);
    CHECK_THROWS_WITH(moved[0], contains("moved from"));
    autograd::Array<float> out;
    const autograd::Array<float> wide = autograd::empty<float>({0, std::size_t{1} << 30});
    CHECK_NOTHROW(nn::gather_rows(wide, {}, out));
    CHECK_THROWS_WITH(nn::gather_rows(autograd::full<float>({1, 2}, 0.0F), Rows{minus_one}, out),
                      "gather_rows: row -1 of an array of shape (1, 2)");
}
