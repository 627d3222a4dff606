// Systems of linear equations (packages/core/src/operations/ridge-solve.ts) and units that go one after another
// (packages/core/src/reconstruct/removal-of-sums.ts), in double precision from numbers of float32.
#include <cmath>
#include <limits>

#include "call.h"

namespace winnow {
namespace {

/** As in packages/core/src/algebra/cholesky.ts: shares by which the diagonal grows, the next where the last was too little. */
constexpr double kDampings[] = {0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2};

struct DampedFactor {
  at::Tensor lower;
  double damping;
};

/** The factor of scale·Σ + λI. */
DampedFactor dampedFactor(const at::Tensor& sums, double scale, double ridge) {
  TORCH_CHECK(sums.dim() == 2 && sums.size(0) == sums.size(1), "expected [W, W], got ", sums.sizes());
  at::Tensor whole = sums.to(at::kDouble).mul(scale);
  whole.diagonal().add_(ridge);
  for (const double damping : kDampings) {
    at::Tensor damped = damping == 0 ? whole : whole.clone();
    if (damping != 0) damped.diagonal().mul_(1 + damping);
    auto [lower, failed] = at::linalg_cholesky_ex(damped, /*upper=*/false, /*check_errors=*/false);
    if (failed.item<int>() == 0) return {lower, damping};
  }
  TORCH_CHECK(false, "the matrix is not positive definite");
}

/** Sums of products [W, W] and [W, V]; their scale and λ. Gives Δ with (scale·Σ + λI)·Δ = scale·C, and the damping, [1]. */
void ridgeSolve(Call& call) {
  const at::Tensor sums = call.tensor(), cross = call.tensor();
  const double scale = call.number(), ridge = call.number();
  TORCH_CHECK(cross.dim() == 2 && cross.size(0) == sums.size(0), "expected [W, V], got ", cross.sizes());
  omp_set_num_threads(call.threads());
  const DampedFactor found = dampedFactor(sums, scale, ridge);
  call.give(at::cholesky_solve(cross.to(at::kDouble).mul(scale), found.lower).to(at::kFloat).contiguous());
  call.give(at::full({1}, found.damping, call.options(at::kFloat)));
}

/** Columns of a least squares problem that go one after the other (packages/core/src/reconstruct/elimination.ts). */
class Elimination {
 public:
  Elimination(at::Tensor inverse, at::Tensor weight, int threads)
      : F_(weight.size(0)), D_(weight.size(1)), threads_(threads), inverse_(std::move(inverse)), weight_(std::move(weight)),
        pending_(at::zeros({kBlock, F_}, weight_.options())), p_(inverse_.data_ptr<double>()),
        w_(weight_.data_ptr<double>()), v_(pending_.data_ptr<double>()), isGone_(F_), diagonal_(F_), norms_(F_) {
    for (int64_t i = 0; i < F_; i++) {
      diagonal_[i] = p_[i * F_ + i];
      norms_[i] = dot(w_ + i * D_, w_ + i * D_, D_);
    }
  }

  /** The growth of E‖y − y'‖² if these columns, which are all left, went. */
  double costOf(const std::vector<int64_t>& columns) {
    if (columns.size() == 1) return norms_[columns[0]] / diagonal_[columns[0]];
    update();
    return groupCost(columns);
  }

  void eliminate(int64_t column) {
    double* const row = v_ + static_cast<int64_t>(factors_.size()) * F_;
    readRow(column, row);
    const double pivot = row[column];
    isGone_[column] = 1;
#pragma omp parallel for num_threads(threads_) if (F_ * D_ >= kNumbersWorthThreads)
    for (int64_t i = 0; i < F_; i++) {
      if (isGone_[i]) {
        row[i] = 0;
        continue;
      }
      const double factor = row[i] / pivot;
      diagonal_[i] -= factor * row[i];
      if (factor != 0) norms_[i] = subtracted(w_ + i * D_, w_ + column * D_, factor);
    }
    factors_.push_back(-1 / pivot);
    if (factors_.size() == kBlock) update();
  }

 private:
  /** Rows whose part in Σ⁻¹ is kept apart until it is subtracted at once. */
  static constexpr int64_t kBlock = 32;

  static double dot(const double* x, const double* y, int64_t size) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < size; i++) sum += x[i] * y[i];
    return sum;
  }

  /** into −= factor·from; the squared length of what is left. */
  double subtracted(double* into, const double* from, double factor) const {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < D_; j++) {
      into[j] -= factor * from[j];
      sum += into[j] * into[j];
    }
    return sum;
  }

  /** The row of Σ⁻¹ as it is now. */
  void readRow(int64_t column, double* into) const {
    std::copy_n(p_ + column * F_, F_, into);
    for (size_t k = 0; k < factors_.size(); k++) {
      const double* const vector = v_ + static_cast<int64_t>(k) * F_;
      const double factor = factors_[k] * vector[column];
      for (int64_t i = 0; i < F_; i++) into[i] += factor * vector[i];
    }
  }

  void update() {
    if (factors_.empty()) return;
    const auto count = static_cast<int64_t>(factors_.size());
    const at::Tensor vectors = pending_.narrow(0, 0, count);
    const at::Tensor scales = at::tensor(factors_, vectors.options()).view({count, 1});
    inverse_.addmm_(vectors.t(), vectors * scales);
    factors_.clear();
  }

  /** tr(W_Gᵀ·([Σ⁻¹]_GG)⁻¹·W_G): ‖L⁻¹·W_G‖² with L·Lᵀ = [Σ⁻¹]_GG. */
  double groupCost(const std::vector<int64_t>& columns) {
    const auto size = static_cast<int64_t>(columns.size());
    std::vector<double> l(size * size), solved(size * D_);
    double cost = 0;
    for (int64_t i = 0; i < size; i++) {
      for (int64_t j = 0; j <= i; j++) {
        const double sum = p_[columns[i] * F_ + columns[j]] - dot(&l[i * size], &l[j * size], j);
        l[i * size + j] = i == j ? std::sqrt(sum) : sum / l[j * size + j];
      }
      double* const row = &solved[i * D_];
      std::copy_n(w_ + columns[i] * D_, D_, row);
      for (int64_t k = 0; k < i; k++)
        for (int64_t j = 0; j < D_; j++) row[j] -= l[i * size + k] * solved[k * D_ + j];
      for (int64_t j = 0; j < D_; j++) row[j] /= l[i * size + i];
      cost += dot(row, row, D_);
    }
    return cost;
  }

  int64_t F_, D_;
  int threads_;
  at::Tensor inverse_, weight_, pending_;
  double *p_, *w_, *v_;
  std::vector<char> isGone_;
  std::vector<double> diagonal_, norms_, factors_;
};

/**
 * Sums of products [copies·units, copies·units], the matrix that reads them and what each unit adds when it goes, [units]; their
 * scale, λ, the number of copies and of units that go. Gives the units in their order, [n], and the error that is left after each, [n].
 */
void removalOrder(Call& call) {
  const at::Tensor sums = call.tensor().cpu(), read = call.tensor(), added = call.tensor().cpu();
  const double scale = call.number(), ridge = call.number();
  const int64_t copies = call.integer(), count = call.integer(), units = added.numel();
  TORCH_CHECK(read.dim() == 2 && read.size(0) == copies * units && sums.size(0) == read.size(0), "expected ", copies * units,
              " rows, got ", read.sizes(), " of sums ", sums.sizes());
  omp_set_num_threads(call.threads());
  Elimination elimination(at::cholesky_inverse(dampedFactor(sums, scale, ridge).lower).contiguous(),
                          read.cpu().to(at::kDouble).contiguous(), call.threads());
  const float* const further = added.data_ptr<float>();
  std::vector<std::vector<int64_t>> left(units);
  for (int64_t unit = 0; unit < units; unit++)
    for (int64_t copy = 0; copy < copies; copy++) left[unit].push_back(copy * units + unit);
  std::vector<int> removed;
  std::vector<float> errors;
  double error = 0;
  while (static_cast<int64_t>(removed.size()) < std::min(count, units - 1)) {
    int64_t least = -1;
    double cost = std::numeric_limits<double>::infinity();
    for (int64_t unit = 0; unit < units; unit++) {
      if (left[unit].empty()) continue;
      const double own = elimination.costOf(left[unit]) + further[unit];
      if (own < cost) {
        cost = own;
        least = unit;
      }
    }
    TORCH_CHECK(least >= 0, "the errors of units are not numbers");
    for (const int64_t column : left[least]) elimination.eliminate(column);
    left[least].clear();
    error += cost;
    removed.push_back(static_cast<int>(least));
    errors.push_back(static_cast<float>(error));
  }
  call.give(at::tensor(removed, at::kInt).to(call.device()));
  call.give(at::tensor(errors, at::kFloat).to(call.device()));
}

}  // namespace

void addSolving(Operations& operations) {
  operations.push_back({"ridgeSolve", ridgeSolve});
  operations.push_back({"removalOrder", removalOrder});
}

}  // namespace winnow
