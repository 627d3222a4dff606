// Operations that take or place numbers by position.
#include "call.h"

namespace winnow {
namespace {

/** x.shape with `axis` replaced by the shape of the indices. */
std::vector<int64_t> gatheredShape(const at::Tensor& x, const at::Tensor& indices, int64_t axis, int64_t batchAxes) {
  auto shape = x.sizes().slice(0, axis).vec();
  const auto wanted = indices.sizes().slice(batchAxes);
  const auto after = x.sizes().slice(axis + 1);
  shape.insert(shape.end(), wanted.begin(), wanted.end());
  shape.insert(shape.end(), after.begin(), after.end());
  return shape;
}

void gather(Call& call) {
  const at::Tensor x = call.tensor();
  const at::Tensor indices = call.tensor().to(at::kInt);
  const int64_t axis = call.integer();
  const int64_t batchAxes = call.integer();
  const auto shape = gatheredShape(x, indices, axis, batchAxes);
  if (batchAxes == 0) return call.give(x.index_select(axis, indices.reshape({-1})).reshape(shape));

  const at::Tensor batches = x.flatten(0, batchAxes - 1);
  const at::Tensor wanted = indices.flatten(0, batchAxes - 1);
  std::vector<at::Tensor> parts;
  for (int64_t batch = 0; batch < batches.size(0); batch++) {
    parts.push_back(batches[batch].index_select(axis - batchAxes, wanted[batch].reshape({-1})));
  }
  call.give(at::stack(parts).reshape(shape));
}

/** Rows of the last axis are positions in the first axes of `shape`: one number for each row, counted row-major. */
at::Tensor flatPositions(const at::Tensor& indices, c10::IntArrayRef shape) {
  const int64_t depth = indices.size(-1);
  at::Tensor flat = at::zeros(indices.sizes().slice(0, indices.dim() - 1), indices.options().dtype(at::kLong));
  for (int64_t axis = 0; axis < depth; axis++) {
    const at::Tensor each = indices.select(-1, axis).to(at::kLong);
    const bool fits = each.numel() == 0 || (each.ge(0).all().item<bool>() && each.lt(shape[axis]).all().item<bool>());
    TORCH_CHECK(fits, "expected indices from 0 to ", shape[axis] - 1, " along axis ", axis);
    flat = flat * shape[axis] + each;
  }
  return flat;
}

/** [product of the first `depth` extents, the others …] */
std::vector<int64_t> rowsOf(c10::IntArrayRef shape, int64_t depth) {
  std::vector<int64_t> rows = {1};
  for (int64_t axis = 0; axis < static_cast<int64_t>(shape.size()); axis++) {
    if (axis < depth) rows[0] *= shape[axis];
    else rows.push_back(shape[axis]);
  }
  return rows;
}

void gatherPositions(Call& call) {
  const at::Tensor x = call.tensor();
  const at::Tensor indices = call.tensor();
  const int64_t depth = indices.size(-1);
  auto shape = indices.sizes().slice(0, indices.dim() - 1).vec();
  const auto inner = x.sizes().slice(depth);
  shape.insert(shape.end(), inner.begin(), inner.end());
  const at::Tensor rows = x.reshape(rowsOf(x.sizes(), depth));
  call.give(rows.index_select(0, flatPositions(indices, x.sizes()).reshape({-1})).reshape(shape));
}

/** Updates that fall on the same place add up. */
void scatterPositions(Call& call) {
  const at::Tensor indices = call.tensor();
  const at::Tensor updates = call.tensor();
  const auto shape = call.integers();
  const int64_t depth = indices.size(-1);
  const auto rowShape = rowsOf(shape, depth);
  const at::Tensor flat = flatPositions(indices, shape).reshape({-1});
  auto updateShape = rowShape;
  updateShape[0] = flat.size(0);
  at::Tensor out = at::zeros(rowShape, updates.options());
  out.index_add_(0, flat, updates.reshape(updateShape));
  call.give(out.reshape(shape));
}

/** Rows of a segment that is not there are left out, as in TensorFlow: they go to one row more, which is dropped. */
void segmentSum(Call& call) {
  const at::Tensor x = call.tensor();
  const at::Tensor ids = call.tensor().reshape({-1}).to(at::kLong);
  const int64_t idAxes = call.integer();
  const int64_t segments = call.integer();
  auto shape = x.sizes().slice(idAxes).vec();
  shape.insert(shape.begin(), ids.size(0));
  const at::Tensor rows = x.reshape(shape);
  shape[0] = segments + 1;
  at::Tensor out = at::zeros(shape, x.options());
  out.index_add_(0, at::where(ids.ge(0).logical_and(ids.lt(segments)), ids, segments), rows);
  call.give(out.narrow(0, 0, segments));
}

/** A position outside gives a row of the off value only. */
void oneHot(Call& call) {
  const at::Tensor indices = call.tensor();
  const int64_t depth = call.integer();
  const double on = call.number();
  const double off = call.number();
  const auto options = call.options(call.type());
  const at::Tensor isHere = indices.unsqueeze(-1).eq(at::arange(depth, call.options(at::kInt)));
  call.give(at::where(isHere, at::full({}, on, options), at::full({}, off, options)));
}

/** Coordinates of everything that is not 0: [count, rank]. */
void positions(Call& call) { call.give(at::nonzero(call.tensor())); }

}  // namespace

void addIndexing(Operations& operations) {
  const Operations own = {
      {"gather", gather},
      {"gatherPositions", gatherPositions},
      {"oneHot", oneHot},
      {"positions", positions},
      {"scatterPositions", scatterPositions},
      {"segmentSum", segmentSum},
  };
  operations.insert(operations.end(), own.begin(), own.end());
}

}  // namespace winnow
