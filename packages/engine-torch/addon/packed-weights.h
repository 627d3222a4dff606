#pragma once
// Weights as products read them, kept from one forward pass to the next where no gradient is asked for and nothing has
// changed them: an evaluation, a teacher, a picture after another. Packing the weights of a small batch takes as long as
// its products do.
//
// A list of weights is packed for keeps when it is seen for the second time. A training step packs its own, into memory
// that all its layers share: its weights change before they are seen again.
#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "packed-operands.h"

namespace winnow {

/** The packed weights of one thread of JavaScript. */
class PackedWeights {
 public:
  static PackedWeights& ofThread() {
    static thread_local PackedWeights weights;
    return weights;
  }

  /**
   * @param of all tensors that are packed together, in their order
   * @param arithmetic one number for each way of packing
   */
  PackedRoom roomFor(const std::vector<at::Tensor>& of, int arithmetic, int64_t bytes) {
    Key key{arithmetic, {}};
    for (const at::Tensor& tensor : of)
      key.second.emplace_back(tensor.storage().unsafeGetStorageImpl(), tensor.storage_offset());
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
      sweep();
      Entry& entry = entries_[key];
      for (const at::Tensor& tensor : of) entry.storages.push_back(tensor.storage().getWeakStorageImpl());
      return {};
    }
    Entry& entry = found->second;
    if (entry.memory == nullptr) {
      if (bytes_ + bytes > kMostBytes) return {};
      entry.memory = alignedBytes(bytes);
      entry.bytes = bytes;
      bytes_ += bytes;
    }
    return {entry.memory.get(), &entry.isPacked};
  }

  /** Somebody writes into that tensor's memory. */
  void forget(const at::Tensor& tensor) {
    const c10::StorageImpl* const storage = tensor.storage().unsafeGetStorageImpl();
    removeIf([&](const Entry& entry) {
      return std::any_of(entry.storages.begin(), entry.storages.end(),
                         [&](const Storage& each) { return each._unsafe_get_target() == storage; });
    });
  }

  /** Lets go of weights whose tensors are gone. */
  void sweep() {
    removeIf([](const Entry& entry) {
      return std::any_of(entry.storages.begin(), entry.storages.end(),
                         [](const Storage& each) { return each.expired(); });
    });
  }
 private:
  /** A weak reference keeps the address from being given to another storage. */
  using Storage = c10::weak_intrusive_ptr<c10::StorageImpl>;
  using Key = std::pair<int, std::vector<std::pair<const c10::StorageImpl*, int64_t>>>;
  struct Entry {
    std::vector<Storage> storages;
    AlignedBytes memory;
    bool isPacked = false;
    int64_t bytes = 0;
  };
  /** The weights of DeiT-B in float32 on tiles take a half of it. */
  static constexpr int64_t kMostBytes = int64_t{1} << 30;

  template <typename Test>
  void removeIf(Test test) {
    for (auto at = entries_.begin(); at != entries_.end();) {
      if (!test(at->second)) {
        ++at;
        continue;
      }
      bytes_ -= at->second.bytes;
      at = entries_.erase(at);
    }
  }

  std::map<Key, Entry> entries_;
  int64_t bytes_ = 0;
};

}  // namespace winnow
