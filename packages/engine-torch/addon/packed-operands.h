#pragma once
// Weights as a forward pass reads them, in memory of the call or of somebody who keeps it.
#include "panels.h"

namespace winnow {

/** Where a forward pass finds its packed weights, or leaves them for the next one: memory that outlives the call, if any. */
struct PackedRoom {
  char* memory = nullptr;
  bool* isPackedFlag = nullptr;

  bool isPacked() const { return memory != nullptr && *isPackedFlag; }
  void finish() const {
    if (memory != nullptr) *isPackedFlag = true;
  }
};

/** The right operands of one forward pass, one behind the other: in the room, or in the call's own memory. */
template <typename Arithmetic>
class PackedOperands {
 public:
  using Operand = Right<Arithmetic>;
  using Number = typename Operand::Number;

  PackedOperands(const PackedRoom& room, Scratch& own) : next_(reinterpret_cast<Number*>(room.memory)), own_(own) {}
  static int64_t bytes(int64_t depthTiles, int64_t panels) {
    return Operand::elements(depthTiles, panels) * static_cast<int64_t>(sizeof(Number));
  }
  Operand take(int64_t depthTiles, int64_t panels) {
    if (next_ == nullptr) return takeRight<Arithmetic>(own_, depthTiles, panels);
    Number* const taken = next_;
    next_ += Operand::elements(depthTiles, panels);  // whole cache lines: squares of 32 numbers by 32
    return {taken, depthTiles};
  }

 private:
  Number* next_;
  Scratch& own_;
};

}  // namespace winnow
