#pragma once
// Our kernels for a GPU as the sub-layers call them: what libtorch does in several passes over memory they do in one.
#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "call.h"
#include "device-compiler.h"
#include "device-source.h"

namespace winnow {

class DeviceKernels {
 public:
  /** Rows that a warp can hold. */
  static constexpr int64_t kMostDim = 1024;

  /**
   * Those for rows of `dim` numbers in the precision and on the device of the call; null where they are not wanted or do not
   * compile. The device of the call has to be the current one.
   */
  static DeviceKernels* find(const Call& call, int64_t dim) {
    if (!call.wantsDeviceKernels() || dim > kMostDim || dim < 1) return nullptr;
    static thread_local std::map<std::tuple<int, int64_t, bool>, std::unique_ptr<DeviceKernels>> all;
    const auto key = std::make_tuple(static_cast<int>(call.device().index()), dim, call.isBf16());
    const auto known = all.find(key);
    if (known != all.end()) return known->second.get();
    auto module = DeviceModule::compiled(
        kDeviceSource, {"-DDIM=" + std::to_string(dim), std::string("-DBF16=") + (call.isBf16() ? "1" : "0")});
    auto& made = all[key];
    if (module != nullptr) made.reset(new DeviceKernels(std::move(module), dim, call.isBf16()));
    return made.get();
  }

  /** Widths that the kernels over columns take. */
  static bool takes(int64_t width) { return width > 0 && width % 8 == 0; }

  struct Normalized {
    at::Tensor operand, mean, inverseDeviation;
  };

  /** x [rows, dim] float32 */
  Normalized normalize(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double epsilon) {
    const int64_t rows = x.size(0);
    const Normalized made{at::empty({rows, dim_}, operands(x)), at::empty({rows, 1}, x.options()),
                          at::empty({rows, 1}, x.options())};
    if (rows > 0)
      module_->launch("normForward", blocksFor(rows), 1, kThreads, address(x), address(weight), address(bias),
                      address(made.operand), address(made.mean), address(made.inverseDeviation), counted(rows),
                      static_cast<float>(epsilon));
    return made;
  }

  struct NormGradients {
    at::Tensor x, weight, bias;
  };

  /** g [rows, dim], an operand, through the norm, and dy [rows, dim] float32 past it. */
  NormGradients normGradients(const at::Tensor& g, const at::Tensor& dy, const at::Tensor& x, const at::Tensor& mean,
                              const at::Tensor& inverseDeviation, const at::Tensor& weight) {
    const int64_t rows = x.size(0);
    const NormGradients made{at::empty_like(x), at::empty({dim_}, x.options()), at::empty({dim_}, x.options())};
    const unsigned blocks = std::min(blocksFor(rows), static_cast<unsigned>(kBlocksPerMultiprocessor * multiprocessors_));
    const at::Tensor partial = at::empty({blocks, 2, dim_}, x.options());
    module_->launch("normBackward", blocks, 1, kThreads, address(g), address(dy), address(x), address(mean),
                    address(inverseDeviation), address(weight), address(made.x), address(partial), counted(rows));
    addUp(partial, 2 * dim_, made.weight, made.bias, dim_);
    return made;
  }

  struct Summed {
    at::Tensor operand, sums;
  };

  /** x [rows, width] float32 → as an operand, and the sums of its columns. */
  Summed castAndSum(const at::Tensor& x) {
    const Summed made{isBf16_ ? at::empty(x.sizes(), operands(x)) : x, at::empty({x.size(1)}, x.options())};
    void* const to = isBf16_ ? address(made.operand) : nullptr;
    overColumns(x, made.sums, [&](unsigned columns, unsigned rows, void* partial) {
      module_->launch("castAndSum", columns, rows, kThreads, address(x), to, counted(x.size(1)), partial,
                      counted(x.size(0)), static_cast<int>(x.size(1)));
    });
    return made;
  }

  /** Operands [rows, width], beside one another → [rows, parts·width], and the sums of its columns. */
  Summed joinAndSum(const std::vector<at::Tensor>& parts) {
    const int64_t rows = parts[0].size(0), width = parts[0].size(1), all = width * static_cast<int64_t>(parts.size());
    const Summed made{at::empty({rows, all}, parts[0].options()),
                      at::empty({all}, parts[0].options().dtype(at::kFloat))};
    for (size_t i = 0; i < parts.size(); i++) {
      const int64_t first = width * static_cast<int64_t>(i);
      const at::Tensor part = parts[i].contiguous();
      overColumns(part, made.sums.narrow(0, first, width), [&](unsigned columns, unsigned blocks, void* partial) {
        module_->launch("copyAndSum", columns, blocks, kThreads, address(part),
                        address(made.operand.narrow(1, first, width)), counted(all), partial, counted(rows),
                        static_cast<int>(width));
      });
    }
    return made;
  }

  /** dy through an activation of `before`, operands [rows, width], and the sums of its columns. */
  Summed activationGradient(const at::Tensor& dy, const at::Tensor& before, int kind) {
    const Summed made{at::empty_like(before), at::empty({before.size(1)}, before.options().dtype(at::kFloat))};
    overColumns(before, made.sums, [&](unsigned columns, unsigned rows, void* partial) {
      module_->launch("activationBackward", columns, rows, kThreads, address(dy), address(before), address(made.operand),
                      partial, counted(before.size(0)), static_cast<int>(before.size(1)), kind);
    });
    return made;
  }

 private:
  static constexpr int64_t kWarps = 8;
  static constexpr unsigned kThreads = 32 * kWarps;
  static constexpr int kBlocksPerMultiprocessor = 4;

  DeviceKernels(std::unique_ptr<DeviceModule> module, int64_t dim, bool isBf16)
      : module_(std::move(module)), multiprocessors_(module_->multiprocessors()), dim_(dim), isBf16_(isBf16) {}

  at::TensorOptions operands(const at::Tensor& like) const {
    return like.options().dtype(isBf16_ ? at::kBFloat16 : at::kFloat);
  }

  static void* address(const at::Tensor& tensor) { return tensor.data_ptr(); }
  static long long counted(int64_t count) { return count; }

  static unsigned blocksFor(int64_t rows) {
    return static_cast<unsigned>(std::max<int64_t>(1, (rows + kWarps - 1) / kWarps));
  }

  /** Runs `body(blocks of columns, blocks of rows, partial sums)` and adds the sums up. */
  template <typename Body>
  void overColumns(const at::Tensor& of, const at::Tensor& sums, Body body) {
    const int64_t rows = of.size(0), width = of.size(1);
    const auto columns = static_cast<unsigned>((width + kThreads - 1) / kThreads);
    const int64_t most = std::max<int64_t>(1, 2 * kBlocksPerMultiprocessor * multiprocessors_ / columns);
    const auto blocks = static_cast<unsigned>(std::min<int64_t>(blocksFor(rows), most));
    const at::Tensor partial = at::empty({blocks, width}, sums.options());
    body(columns, blocks, address(partial));
    addUp(partial, width, sums, sums, width);
  }

  /** partial [.., width] → the sums of its first columns, and of those from `first` on. */
  void addUp(const at::Tensor& partial, int64_t width, const at::Tensor& before, const at::Tensor& after,
             int64_t first) {
    module_->launch("sumPartials", static_cast<unsigned>((width + 31) / 32), 1, 1024, address(partial),
                    static_cast<int>(partial.size(0)), static_cast<int>(width), address(before), address(after),
                    static_cast<int>(first));
  }

  std::unique_ptr<DeviceModule> module_;
  int multiprocessors_;
  int64_t dim_;
  bool isBf16_;
};

}  // namespace winnow
