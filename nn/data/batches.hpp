// Minibatches: which rows belong to which step, and copying them out. Every epoch's order is a function of the
// generator and the epoch's number alone, so training can be resumed at any epoch, or repeated for another model.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace XTAPE_API nn {

/// What becomes of the rows that fill no batch.
struct BatchOptions {
    bool drop_last = false;  ///< leave the last batch out if it is short
};

/// The batches of an epoch are spans of row numbers; together they hold each row once.
///
///     nn::Batches batches(60000, 128, rng.stream("shuffle"));
///     for (std::size_t epoch = 1; epoch <= 10; ++epoch)
///         for (std::span<const std::size_t> rows : batches.epoch(epoch)) gather_rows(data.images, rows, batch);
class Batches {
   public:
    class Epoch;

    /// Rows 0, 1, ... in order, the same in every epoch.
    /// @throws Error if `batch_size` is 0, or one of the two was negative or is beyond 2^45.
    Batches(std::size_t count, std::size_t batch_size, BatchOptions options = {});

    /// Rows shuffled anew for each epoch, by the stream "epoch N" of `rng`.
    /// @throws Error as above.
    Batches(std::size_t count, std::size_t batch_size, autograd::Rng rng, BatchOptions options = {});

    /// The order of an epoch, which its number alone decides, and its batches.
    [[nodiscard]] Epoch epoch(std::size_t number) const;

    /// Batches of an epoch.
    [[nodiscard]] std::size_t size() const;

   private:
    std::size_t count_;
    std::size_t batch_size_;
    std::optional<autograd::Rng> rng_;
    BatchOptions options_;
};

/// One epoch's order, and its batches as a range. The spans are valid for as long as the epoch lives.
class Batches::Epoch {
   public:
    /// Goes through the batches.
    class Iterator {
       public:
        Iterator(const Epoch& epoch, std::size_t batch) : epoch_(&epoch), batch_(batch) {}
        std::span<const std::size_t> operator*() const { return (*epoch_)[batch_]; }
        Iterator& operator++() {
            ++batch_;
            return *this;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) { return a.batch_ == b.batch_; }

       private:
        const Epoch* epoch_;
        std::size_t batch_;
    };

    /// @throws Error if `batch_size` is 0, or there are not so many batches in the order.
    Epoch(std::vector<std::size_t> order, std::size_t batch_size, std::size_t batches);

    /// How many batches there are.
    [[nodiscard]] std::size_t size() const { return batches_; }
    /// The numbers of the rows of a batch.
    /// @throws Error if there are not so many batches.
    [[nodiscard]] std::span<const std::size_t> operator[](std::size_t batch) const;
    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, batches_}; }

   private:
    std::vector<std::size_t> order_;
    std::size_t batch_size_;
    std::size_t batches_;
};

/// out[i] = from[rows[i]], along the first axis. `out` gets the shape (rows, the other axes of `from`); its memory is
/// used again where that is its shape already. For float and double.
/// @throws ShapeError if `from` is a scalar or has no such row, or if `out` is `from`.
template <class T>
void gather_rows(const autograd::Array<T>& from, std::span<const std::size_t> rows, autograd::Array<T>& out);

}  // namespace nn
