// Systems of linear equations (packages/core/src/operations/ridge-solve.ts), in double precision from numbers of float32.
#include "call.h"

namespace winnow {
namespace {

/** As in packages/core/src/algebra/cholesky.ts: shares by which the diagonal grows, the next where the last was too little. */
constexpr double kDampings[] = {0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2};

/** Sums of products [W, W] and [W, V]; their scale and λ. Gives Δ with (scale·Σ + λI)·Δ = scale·C, and the damping, [1]. */
void ridgeSolve(Call& call) {
  const at::Tensor sums = call.tensor(), cross = call.tensor();
  const double scale = call.number(), ridge = call.number();
  TORCH_CHECK(sums.dim() == 2 && sums.size(0) == sums.size(1) && cross.dim() == 2 && cross.size(0) == sums.size(0),
              "expected [W, W] and [W, V], got ", sums.sizes(), " and ", cross.sizes());
  at::Tensor whole = sums.to(at::kDouble).mul(scale);
  whole.diagonal().add_(ridge);
  const at::Tensor wanted = cross.to(at::kDouble).mul(scale);
  omp_set_num_threads(call.threads());
  for (const double damping : kDampings) {
    at::Tensor damped = damping == 0 ? whole : whole.clone();
    if (damping != 0) damped.diagonal().mul_(1 + damping);
    const auto [factor, failed] = at::linalg_cholesky_ex(damped, /*upper=*/false, /*check_errors=*/false);
    if (failed.item<int>() != 0) continue;
    call.give(at::cholesky_solve(wanted, factor).to(at::kFloat).contiguous());
    call.give(at::full({1}, damping, call.options(at::kFloat)));
    return;
  }
  TORCH_CHECK(false, "the matrix is not positive definite");
}

}  // namespace

void addSolving(Operations& operations) { operations.push_back({"ridgeSolve", ridgeSolve}); }

}  // namespace winnow
