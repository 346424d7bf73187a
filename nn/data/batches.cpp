// The order of each epoch, cut into spans; and the copying of rows.
#include "nn/data/batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace nn {
namespace {

// Of which the list of rows would fit into memory.
constexpr std::size_t most_rows = std::size_t{1} << 45;

void require_batch_size(std::size_t batch_size) {
    if (1 <= batch_size && batch_size <= most_rows) return;
    throw autograd::Error(fmt::format("Batches: expected a batch size of at least 1{}, found {}",
                                      batch_size == 0 ? "" : " and at most 2^45", autograd::as_written(batch_size)));
}

}  // namespace

Batches::Batches(std::size_t count, std::size_t batch_size, BatchOptions options)
    : count_(count), batch_size_(batch_size), options_(options) {
    require_batch_size(batch_size);
    if (count > most_rows) {
        throw autograd::Error(
            fmt::format("Batches: expected a number of rows from 0 to 2^45, found {}", autograd::as_written(count)));
    }
}

Batches::Batches(std::size_t count, std::size_t batch_size, autograd::Rng rng, BatchOptions options)
    : Batches(count, batch_size, options) {
    rng_ = std::move(rng);
}

std::size_t Batches::size() const {
    const bool short_one = count_ % batch_size_ != 0 && !options_.drop_last;
    return count_ / batch_size_ + (short_one ? 1 : 0);
}

Batches::Epoch Batches::epoch(std::size_t number) const {
    if (rng_) return {rng_->stream(fmt::format("epoch {}", number)).permutation(count_), batch_size_, size()};
    std::vector<std::size_t> order(count_);
    std::iota(order.begin(), order.end(), std::size_t{0});
    return {std::move(order), batch_size_, size()};
}

Batches::Epoch::Epoch(std::vector<std::size_t> order, std::size_t batch_size, std::size_t batches)
    : order_(std::move(order)), batch_size_(batch_size), batches_(batches) {
    require_batch_size(batch_size);
    if (batches > order_.size() / batch_size + (order_.size() % batch_size == 0 ? 0 : 1)) {
        throw autograd::Error(fmt::format("Batches::Epoch: {} rows are not {} batches of {}", order_.size(),
                                          autograd::as_written(batches), batch_size));
    }
}

std::span<const std::size_t> Batches::Epoch::operator[](std::size_t batch) const {
    if (batch >= batches_) {
        throw autograd::Error(fmt::format("Batches::Epoch: batch {} of an epoch of {}", autograd::as_written(batch), batches_));
    }
    if (order_.size() <= batch * batch_size_) throw autograd::Error("Batches::Epoch: used after it was moved from");
    const auto rest = std::span(order_).subspan(batch * batch_size_);
    return rest.first(std::min(batch_size_, rest.size()));
}

template <class T>
void gather_rows(const autograd::Array<T>& from, std::span<const std::size_t> rows, autograd::Array<T>& out) {
    if (&from == &out) throw autograd::ShapeError("gather_rows: the output must be another array than the input");
    autograd::require_values(from, "gather_rows");
    if (from.dimension() == 0) throw autograd::ShapeError("gather_rows: expected an array with rows, found a scalar");
    const std::size_t row_count = from.shape()[0];
    autograd::Shape shape = from.shape();
    shape[0] = 1;
    const std::size_t row_size = autograd::element_count(shape);
    shape[0] = rows.size();
    for (const std::size_t row : rows) {
        if (row >= row_count) {
            throw autograd::ShapeError(fmt::format("gather_rows: row {} of an array of shape {}", autograd::as_written(row),
                                                   autograd::to_string(from.shape())));
        }
    }
    autograd::require_allocatable(shape, sizeof(T), "gather_rows");
    if (out.data() == nullptr) out = autograd::Array<T>();  // moved from, it may have the shape still, and no elements
    autograd::reshape_for_overwriting(out, shape);
    T* destination = out.data();
    for (const std::size_t row : rows) destination = std::copy_n(from.data() + row * row_size, row_size, destination);
}

template XTAPE_API void gather_rows(const autograd::Array<float>&, std::span<const std::size_t>, autograd::Array<float>&);
template XTAPE_API void gather_rows(const autograd::Array<double>&, std::span<const std::size_t>, autograd::Array<double>&);

}  // namespace nn
