#pragma once
// Matrix products on Intel's AMX: tiles of 16×32 bf16 times 32×16, summed in float32, 512 products a cycle.
//
// A float32 number is the exact sum of three bf16 planes (8 bits of mantissa each), and six of the nine products of
// planes carry all that float32 keeps: float32 results at a sixth of the tiles' rate, which is several times that of
// FMA. bf16 is one plane, rounded.
//
// Compiled where the compiler's target has them (WINNOW_TILES).
#if defined(__AMX_BF16__) && defined(__AVX512BF16__)
#define WINNOW_TILES
#include <sys/syscall.h>
#include <unistd.h>

#include "plane-packing.h"

namespace winnow {

/** Whether the processor has tiles and the kernel lends them to this process, which it must be asked for once. */
inline bool tilesAvailable() {
  constexpr int kArchReqXcompPerm = 0x1023;
  constexpr int kXfeatureTileData = 18;
  static const bool available =
      __builtin_cpu_supports("amx-bf16") && syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureTileData) == 0;
  return available;
}

/** Full tiles in all eight registers, for as long as it lives, on this thread. */
class TileSession {
 public:
  TileSession() {
    struct alignas(64) {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t bytesPerRow[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } config;
    asm volatile("" : : "m"(config));  // GCC's intrinsic says that it reads 8 bytes
    _tile_loadconfig(&config);
  }
  ~TileSession() { _tile_release(); }
  TileSession(const TileSession&) = delete;
};

/** Operands of one plane (bf16) or of three (float32). */
template <int planes>
struct Tiles {
  static_assert(planes == 1 || planes == 3);
  static constexpr int kPacking = planes;  // tells its way of packing from the others
  static constexpr int kPlanes = planes;
  using Operand = Bf16;
  using Kept = std::conditional_t<planes == 1, Bf16, float>;
  using Session = TileSession;
  /** Up to here, packing tiles for a head takes longer than plain products of its sequence do. */
  static constexpr int64_t kShortSequence = 48;
};

namespace tiles {

constexpr int kRowBytes = 64;

/** Tiles 0 to 3 += two row tiles × one panel; tiles of depth are `stride` apart in the left operand. */
template <int planes>
inline void multiplyTwo(const Bf16* upper, const Bf16* lower, int64_t stride, const Bf16* right, int64_t depthTiles) {
  for (int64_t depth = 0; depth < depthTiles; depth++) {
    const auto loadLeft = [&](int plane) {
      _tile_loadd(4, upper + plane * kTileElements, kRowBytes);
      _tile_loadd(5, lower + plane * kTileElements, kRowBytes);
    };
    const auto loadRight = [&](int plane) {
      _tile_loadd(6, right + plane * 2 * kTileElements, kRowBytes);
      _tile_loadd(7, right + (plane * 2 + 1) * kTileElements, kRowBytes);
    };
    const auto add = [] {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    };
    loadLeft(0);
    loadRight(0);
    add();
    if constexpr (planes == 3) {
      loadRight(1);
      add();
      loadRight(2);
      add();
      loadLeft(1);
      loadRight(1);
      add();
      loadRight(0);
      add();
      loadLeft(2);
      add();
    }
    upper += stride;
    lower += stride;
    right += planes * 2 * kTileElements;
  }
}

/** Tiles 0 and 1 += one row tile × one panel. */
template <int planes>
inline void multiplyOne(const Bf16* left, int64_t stride, const Bf16* right, int64_t depthTiles) {
  for (int64_t depth = 0; depth < depthTiles; depth++) {
    const auto loadRight = [&](int plane) {
      _tile_loadd(6, right + plane * 2 * kTileElements, kRowBytes);
      _tile_loadd(7, right + (plane * 2 + 1) * kTileElements, kRowBytes);
    };
    _tile_loadd(4, left, kRowBytes);
    loadRight(0);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (planes == 3) {
      loadRight(1);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, left + kTileElements, kRowBytes);
      _tile_dpbf16ps(0, 5, 6);
      _tile_dpbf16ps(1, 5, 7);
      loadRight(2);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      loadRight(0);
      _tile_dpbf16ps(0, 5, 6);
      _tile_dpbf16ps(1, 5, 7);
      _tile_loadd(4, left + 2 * kTileElements, kRowBytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
    }
    left += stride;
    right += planes * 2 * kTileElements;
  }
}

}  // namespace tiles

/**
 * out [rows, columns] of [rows, 32] = rows of `left` × one panel of `right`, over some of the depth; or, if it `adds`,
 * += that. Whole tiles are written. The tile session must be open on this thread.
 */
template <int planes>
void product(const Left<Tiles<planes>>& left, int64_t rowTile, int64_t rows, const Right<Tiles<planes>>& right,
             int64_t panelIndex, DepthRange depth, float* out, bool adds = false, int64_t = kPanel) {
  constexpr int kBytes = kPanel * sizeof(float);
  asm volatile("" ::: "memory");  // GCC's intrinsics do not say that they read it: what was packed must be there
  const Bf16* const panel = right.square(panelIndex, depth.first);
  const int64_t rowTiles = ceilDivide(rows, kTile);
  int64_t row = 0;
  for (; row + 1 < rowTiles; row += 2) {
    float* const block = out + row * kTile * kPanel;
    if (adds) {
      _tile_loadd(0, block, kBytes);
      _tile_loadd(1, block + kTile, kBytes);
      _tile_loadd(2, block + kTile * kPanel, kBytes);
      _tile_loadd(3, block + kTile * kPanel + kTile, kBytes);
    } else {
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    }
    const Bf16* const upper = left.tile(rowTile + row, depth.first);
    tiles::multiplyTwo<planes>(upper, left.tile(rowTile + row + 1, depth.first), left.depthStride, panel, depth.count);
    _tile_stored(0, block, kBytes);
    _tile_stored(1, block + kTile, kBytes);
    _tile_stored(2, block + kTile * kPanel, kBytes);
    _tile_stored(3, block + kTile * kPanel + kTile, kBytes);
  }
  if (row < rowTiles) {
    float* const block = out + row * kTile * kPanel;
    if (adds) {
      _tile_loadd(0, block, kBytes);
      _tile_loadd(1, block + kTile, kBytes);
    } else {
      _tile_zero(0);
      _tile_zero(1);
    }
    tiles::multiplyOne<planes>(left.tile(rowTile + row, depth.first), left.depthStride, panel, depth.count);
    _tile_stored(0, block, kBytes);
    _tile_stored(1, block + kTile, kBytes);
  }
}

}  // namespace winnow
#endif
