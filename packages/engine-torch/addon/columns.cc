// Parameters put together from columns of others (packages/core/src/operations/assemble-columns.ts): one call, and another
// for the gradients of all of them.
#include <algorithm>

#include "call.h"

namespace winnow {
namespace {

/** Where a column comes from: a tensor, and its place there. */
struct Origin {
  const float* from;  // null for a column of zeros
  int64_t stride;     // from one row of that tensor's columns to the next
};

/** Columns by their places among all columns of the tensors, side by side; zeros at −1. */
at::Tensor pick(Call& call, const std::vector<at::Tensor>& tensors, const std::vector<int64_t>& places, int64_t axis) {
  TORCH_CHECK(!tensors.empty(), "expected at least one tensor to take columns of");
  const at::Tensor& like = tensors.front();
  const auto count = static_cast<int64_t>(places.size());
  auto shape = like.sizes().vec();
  shape[axis] = count;
  if (!call.hasOwnKernels()) {
    shape[axis] = 1;
    std::vector<at::Tensor> all = tensors;
    all.push_back(at::zeros(shape, like.options()));
    const at::Tensor joined = at::cat(all, axis);
    std::vector<int64_t> indices = places;
    std::replace(indices.begin(), indices.end(), int64_t{-1}, joined.size(axis) - 1);
    return joined.index_select(axis, at::tensor(indices, at::kLong).to(like.device(), at::kLong, /*non_blocking=*/true));
  }
  const int64_t rows = axis == 0 ? 1 : like.size(0), width = axis == 0 ? like.numel() / like.size(0) : 1;
  std::vector<Origin> columns;
  for (const at::Tensor& each : tensors) {
    const int64_t own = each.size(axis);
    for (int64_t column = 0; column < own; column++)
      columns.push_back({each.data_ptr<float>() + column * width, own * width});
  }
  std::vector<Origin> origins;
  for (const int64_t place : places) {
    TORCH_CHECK(place >= -1 && place < static_cast<int64_t>(columns.size()), "expected a place among ", columns.size(),
                " columns, got ", place);
    origins.push_back(place < 0 ? Origin{nullptr, 0} : columns[place]);
  }
  at::Tensor result = at::empty(shape, like.options());
  float* const to = result.data_ptr<float>();
  const bool isWorthThreads = result.numel() >= kNumbersWorthThreads;
#pragma omp parallel for collapse(2) num_threads(call.threads()) if (isWorthThreads)
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t column = 0; column < count; column++) {
      const Origin& origin = origins[column];
      float* const into = to + (row * count + column) * width;
      if (origin.from == nullptr) std::fill(into, into + width, 0.0f);
      else std::copy_n(origin.from + row * origin.stride, width, into);
    }
  }
  return result;
}

/** What both calls are told after their tensors. */
struct Assembly {
  std::vector<int64_t> places, counts;
  int64_t axis;

  explicit Assembly(Call& call) : places(call.integers()), counts(call.integers()), axis(call.integer()) {
    TORCH_CHECK(axis == 0 || axis == 1, "expected axis 0 or 1, got ", axis);
  }
};

/** Tensors: the sources. */
void assembleColumns(Call& call) {
  const std::vector<at::Tensor> sources = call.tensors();
  const Assembly of(call);
  call.give(pick(call, sources, of.places, of.axis));
}

/** Tensors: the gradient of the result. A column that nobody uses has none. */
void assembleColumnsGradient(Call& call) {
  const std::vector<at::Tensor> gradient = call.tensors();
  const Assembly of(call);
  int64_t first = 0;
  for (const int64_t count : of.counts) {
    std::vector<int64_t> uses(count, -1);
    for (size_t column = 0; column < of.places.size(); column++) {
      const int64_t own = of.places[column] - first;
      if (own >= 0 && own < count) uses[own] = static_cast<int64_t>(column);
    }
    call.give(pick(call, gradient, uses, of.axis));
    first += count;
  }
}

}  // namespace

void addColumns(Operations& operations) {
  operations.push_back({"assembleColumns", assembleColumns});
  operations.push_back({"assembleColumnsGradient", assembleColumnsGradient});
}

}  // namespace winnow
