#pragma once
// The tensors that JavaScript holds, by number: a handle costs an integer there, not an object with a finaliser.
#include <ATen/ATen.h>

#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

namespace winnow {

class TensorTable {
 public:
  int32_t add(at::Tensor tensor) {
    if (free_.empty()) {
      tensors_.push_back(std::move(tensor));
      return static_cast<int32_t>(tensors_.size() - 1);
    }
    const int32_t handle = free_.back();
    free_.pop_back();
    tensors_[handle] = std::move(tensor);
    return handle;
  }

  const at::Tensor& get(int64_t handle) const {
    const bool exists = handle >= 0 && handle < static_cast<int64_t>(tensors_.size());
    TORCH_CHECK(exists && tensors_[handle].defined(), "expected the handle of a tensor, got ", handle,
                ", which has been released or was never given out");
    return tensors_[handle];
  }

  void release(int64_t handle) {
    get(handle);
    tensors_[handle].reset();
    free_.push_back(static_cast<int32_t>(handle));
  }

  int64_t count() const { return static_cast<int64_t>(tensors_.size() - free_.size()); }

  /** Memory behind all tensors; what several of them share is counted once. */
  int64_t bytes() const {
    std::unordered_set<const void*> seen;
    int64_t total = 0;
    for (const auto& tensor : tensors_) {
      if (!tensor.defined() || !seen.insert(tensor.storage().unsafeGetStorageImpl()).second) continue;
      total += static_cast<int64_t>(tensor.storage().nbytes());
    }
    return total;
  }

 private:
  std::vector<at::Tensor> tensors_;
  std::vector<int32_t> free_;
};

}  // namespace winnow
