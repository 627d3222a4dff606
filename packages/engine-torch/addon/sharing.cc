// Parameters whose units are their own or those of another one, scaled at the end
// (packages/core/src/operations/share-units.ts): all parameters in one call; the gradient of the vector that says so in
// another. Nothing between is stored: a number is found anew from what it is blended of.
#include <vector>

#include "units.h"

namespace winnow {
namespace {

struct Shared : UnitParameter {
  /** The parameter whose units it may have, and the first entries that say so and that scale; −1 for none. */
  int64_t lender, share, scale;
  /** How many it borrows through, one from the other. */
  int64_t level = 0;
  std::vector<int64_t> borrowers;
};

struct Sharing {
  std::vector<at::Tensor> gradients;
  std::vector<Shared> list;
  at::Tensor vector;
  int64_t numbers = 0, largestChunk = 0, levels = 1;

  const float* entries(int64_t from) const { return vector.data_ptr<float>() + from; }
};

/** Tensors: gradients of the results, in a backward call; parameters; the vector. Then units, widths, lenders, shares, scales. */
Sharing readSharing(Call& call, bool isBackward) {
  std::vector<at::Tensor> tensors = call.tensors();
  std::vector<std::vector<int64_t>> lists;
  for (int i = 0; i < 5; i++) lists.push_back(call.integers());
  const size_t count = lists[0].size();
  for (const auto& list : lists) TORCH_CHECK(list.size() == count, "expected ", count, " numbers in every list");
  TORCH_CHECK(tensors.size() == count * (isBackward ? 2 : 1) + 1, "expected ", count, " parameters, got ",
              tensors.size(), " tensors");
  Sharing read;
  const auto parameters = tensors.begin() + (isBackward ? count : 0);
  read.gradients.assign(tensors.begin(), parameters);
  read.vector = tensors.back();
  for (size_t i = 0; i < count; i++) {
    Shared each{{parameters[i], lists[0][i], lists[1][i]}, lists[2][i], lists[3][i], lists[4][i], 0, {}};
    checkUnits(each);
    TORCH_CHECK(each.lender < static_cast<int64_t>(i), "expected the lender of parameter ", i, " before it");
    for (const int64_t from : {each.share, each.scale})
      TORCH_CHECK(from < 0 || from + each.units <= read.vector.numel(), "expected entries for ", each.units,
                  " units from ", from);
    if (each.lender >= 0) {
      Shared& lender = read.list[each.lender];
      TORCH_CHECK(each.share >= 0 && lender.tensor.sizes() == each.tensor.sizes(), "expected a lender of shape ",
                  each.tensor.sizes(), ", got ", lender.tensor.sizes());
      lender.borrowers.push_back(static_cast<int64_t>(i));
      each.level = lender.level + 1;
      read.levels = std::max(read.levels, each.level + 1);
    }
    read.numbers += each.tensor.numel();
    read.largestChunk = std::max(read.largestChunk, each.chunkSize());
    read.list.push_back(std::move(each));
  }
  return read;
}

/** A chunk of what a parameter is before it is scaled; in `memory`, unless it is its own throughout. */
const float* blended(const Sharing& of, const Shared& each, int64_t chunk, float* memory) {
  const float* const own = each.chunk(chunk);
  if (each.lender < 0) return own;
  const float* const lent = blended(of, of.list[each.lender], chunk, memory);
  UnitNumbers(each, of.entries(each.share), chunk).over(each.chunkSize(), [=](int64_t i, float share) {
    memory[i] = own[i] * share + lent[i] * (1 - share);
  });
  return memory;
}

/** The gradient of a chunk before it is scaled, in `memory`, after which there is room for those of its borrowers. */
void gradientBeforeScale(const Sharing& of, int64_t index, int64_t chunk, float* memory) {
  const Shared& each = of.list[index];
  const int64_t size = each.chunkSize();
  const float* const dy = of.gradients[index].data_ptr<float>() + chunk * size;
  if (each.scale < 0) std::copy(dy, dy + size, memory);
  else
    UnitNumbers(each, of.entries(each.scale), chunk).over(size, [=](int64_t i, float scale) {
      memory[i] = dy[i] * scale;
    });
  float* const theirs = memory + of.largestChunk;
  for (const int64_t borrower : each.borrowers) {
    gradientBeforeScale(of, borrower, chunk, theirs);
    UnitNumbers(each, of.entries(of.list[borrower].share), chunk).over(size, [=](int64_t i, float share) {
      memory[i] += theirs[i] * (1 - share);
    });
  }
}

void shareNumbers(const Sharing& of, const Shared& each, float* into) {
  const int64_t size = each.chunkSize();
  for (int64_t chunk = 0; chunk < each.chunks(); chunk++, into += size) {
    const float* const found = blended(of, each, chunk, into);
    if (each.scale >= 0)
      UnitNumbers(each, of.entries(each.scale), chunk).over(size, [=](int64_t i, float scale) {
        into[i] = found[i] * scale;
      });
  }
}

/** What a parameter adds to the gradients of its entries: [units] of those that share, and of those that scale. */
void gradientNumbers(const Sharing& of, int64_t index, float* shares, float* scales) {
  const Shared& each = of.list[index];
  const int64_t size = each.chunkSize();
  std::vector<float> memory(of.largestChunk * (of.levels + 1));
  float* const found = memory.data();
  float* const gradient = found + of.largestChunk;
  for (int64_t chunk = 0; chunk < each.chunks(); chunk++) {
    const float* const own = each.chunk(chunk);
    if (each.scale >= 0) {
      const float* const value = blended(of, each, chunk, found);
      const float* const dy = of.gradients[index].data_ptr<float>() + chunk * size;
      addByUnit(each, chunk, scales, [=](int64_t i) { return dy[i] * value[i]; });
    }
    if (each.lender >= 0) {
      const float* const lent = blended(of, of.list[each.lender], chunk, found);
      gradientBeforeScale(of, index, chunk, gradient);
      addByUnit(each, chunk, shares, [=](int64_t i) { return gradient[i] * (own[i] - lent[i]); });
    }
  }
}

at::Tensor broadcast(const Sharing& of, const Shared& each, int64_t from) {
  return of.vector.narrow(0, from, each.units).view({1, each.units, 1});
}

/** Of libtorch's operations, for tensors on another device: what all parameters are before they are scaled. */
std::vector<at::Tensor> blendedTensors(const Sharing& of) {
  std::vector<at::Tensor> found;
  for (const Shared& each : of.list) {
    found.push_back(each.broken());
    if (each.lender < 0) continue;
    const at::Tensor share = broadcast(of, each, each.share);
    found.back() = found.back().mul(share).add_(found[each.lender].mul(1 - share));
  }
  return found;
}

at::Tensor gradientByOperations(const Sharing& of) {
  const std::vector<at::Tensor> found = blendedTensors(of);
  at::Tensor total = at::zeros_like(of.vector);
  std::vector<at::Tensor> gradients;
  for (size_t i = 0; i < of.list.size(); i++) {
    const Shared& each = of.list[i];
    const at::Tensor dy = each.broken(of.gradients[i]);
    gradients.push_back(each.scale < 0 ? dy : dy.mul(broadcast(of, each, each.scale)));
    if (each.scale >= 0)
      total.narrow(0, each.scale, each.units).add_(dy.mul(found[i]).sum(at::IntArrayRef{0, 2}));
  }
  for (size_t i = of.list.size(); i-- > 0;) {
    const Shared& each = of.list[i];
    if (each.lender < 0) continue;
    const at::Tensor &lent = found[each.lender], share = broadcast(of, each, each.share);
    total.narrow(0, each.share, each.units)
        .add_(gradients[i].mul(each.broken() - lent).sum(at::IntArrayRef{0, 2}));
    gradients[each.lender] = gradients[each.lender] + gradients[i].mul(1 - share);
  }
  return total;
}

void shareUnits(Call& call) {
  const Sharing of = readSharing(call, false);
  const auto isChanged = [](const Shared& each) { return each.lender >= 0 || each.scale >= 0; };
  std::vector<at::Tensor> results;
  if (call.hasOwnKernels()) {
    for (const Shared& each : of.list) results.push_back(isChanged(each) ? at::empty_like(each.tensor) : each.tensor);
    overIndices(call, of.list.size(), of.numbers, [&](int64_t i) {
      if (isChanged(of.list[i])) shareNumbers(of, of.list[i], results[i].data_ptr<float>());
    });
  } else {
    const std::vector<at::Tensor> found = blendedTensors(of);
    for (size_t i = 0; i < of.list.size(); i++) {
      const Shared& each = of.list[i];
      const at::Tensor scaled = each.scale < 0 ? found[i] : found[i].mul(broadcast(of, each, each.scale));
      results.push_back(scaled.view(each.tensor.sizes()));
    }
  }
  for (at::Tensor& each : results) call.give(std::move(each));
}

void shareUnitsGradient(Call& call) {
  const Sharing of = readSharing(call, true);
  if (!call.hasOwnKernels()) return call.give(gradientByOperations(of));
  std::vector<std::vector<float>> shares, scales;
  for (const Shared& each : of.list) {
    shares.emplace_back(each.lender < 0 ? 0 : each.units);
    scales.emplace_back(each.scale < 0 ? 0 : each.units);
  }
  overIndices(call, of.list.size(), of.numbers,
              [&](int64_t i) { gradientNumbers(of, i, shares[i].data(), scales[i].data()); });
  // In the parameters' order, whichever thread was first.
  at::Tensor total = at::zeros_like(of.vector);
  float* const sums = total.data_ptr<float>();
  for (size_t i = 0; i < of.list.size(); i++) {
    for (size_t unit = 0; unit < shares[i].size(); unit++) sums[of.list[i].share + unit] += shares[i][unit];
    for (size_t unit = 0; unit < scales[i].size(); unit++) sums[of.list[i].scale + unit] += scales[i][unit];
  }
  call.give(total);
}

}  // namespace

void addSharing(Operations& operations) {
  operations.push_back({"shareUnits", shareUnits});
  operations.push_back({"shareUnitsGradient", shareUnitsGradient});
}

}  // namespace winnow
