// Operations that only move numbers.
#include "call.h"

namespace winnow {
namespace {

void transpose(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(x.permute(call.integers()));
}

void concatenate(Call& call) {
  const auto parts = call.tensors();
  call.give(at::cat(parts, call.integer()));
}

void stack(Call& call) {
  const auto parts = call.tensors();
  call.give(at::stack(parts, call.integer()));
}

void unstack(Call& call) {
  const at::Tensor x = call.tensor();
  for (auto& part : at::unbind(x, call.integer())) call.give(part);
}

void split(Call& call) {
  const at::Tensor x = call.tensor();
  const int64_t axis = call.integer();
  int64_t start = 0;
  for (const int64_t extent : call.integers()) {
    call.give(x.narrow(axis, start, extent));
    start += extent;
  }
}

void slice(Call& call) {
  at::Tensor x = call.tensor();
  const auto begin = call.integers();
  const auto extents = call.integers();
  for (size_t axis = 0; axis < begin.size(); axis++) x = x.narrow(axis, begin[axis], extents[axis]);
  call.give(x);
}

/** Like slice, with steps between the numbers taken, which may be negative. */
void stridedSlice(Call& call) {
  at::Tensor x = call.tensor();
  const auto begin = call.integers();
  const auto strides = call.integers();
  const auto extents = call.integers();
  for (size_t axis = 0; axis < begin.size(); axis++) {
    const at::Tensor wanted = at::arange(extents[axis], call.options(at::kLong)).mul_(strides[axis]).add_(begin[axis]);
    x = x.index_select(axis, wanted);
  }
  call.give(x.reshape(call.integers()));
}

void tile(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(x.repeat(call.integers()));
}

void broadcast(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(x.expand(call.integers()));
}

void reverse(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(x.flip(call.integers()));
}

/** `amounts`: before and after each axis. */
void pad(Call& call) {
  const at::Tensor x = call.tensor();
  const auto amounts = call.integers();
  const double value = call.number();
  auto shape = x.sizes().vec();
  for (size_t axis = 0; axis < shape.size(); axis++) shape[axis] += amounts[2 * axis] + amounts[2 * axis + 1];
  const at::Tensor padded = at::full(shape, value, x.options());
  at::Tensor inner = padded;
  for (size_t axis = 0; axis < shape.size(); axis++) {
    inner = inner.narrow(axis, amounts[2 * axis], x.size(axis));
  }
  inner.copy_(x);
  call.give(padded);
}

}  // namespace

void addRearranging(Operations& operations) {
  const Operations own = {
      {"broadcast", broadcast}, {"concatenate", concatenate}, {"pad", pad},
      {"reverse", reverse},     {"slice", slice},             {"split", split},
      {"stack", stack},         {"stridedSlice", stridedSlice}, {"tile", tile},
      {"transpose", transpose}, {"unstack", unstack},
  };
  operations.insert(operations.end(), own.begin(), own.end());
}

}  // namespace winnow
