#pragma once
// x·W + b and its gradient, for the layers that stand outside the sub-layers: patch embedding, head.
#include "packed-operands.h"
#include "weight-gradients.h"

namespace winnow {

struct LinearArguments {
  const float* x;  // [N, in]
  int64_t rows;
  Weight layer;
  int threads;
};

template <typename Arithmetic>
void linearForward(const LinearArguments& of, float* y, const PackedRoom& room, Scratch& shared) {
  const Columns in = of.layer.in, out = of.layer.out;
  const Right<Arithmetic> weight = PackedOperands<Arithmetic>(room, shared).take(in.panels(), out.panels());
  parallelFor<Arithmetic>(of.threads, room.isPacked() ? 0 : out.panels(),
                          [&](int64_t panel, Scratch&) { packWeight(of.layer, weight, panel); });
  room.finish();
  const RowBlocks blocks = RowBlocks::ofTiles<Arithmetic>(of.rows, of.threads);
  parallelFor<Arithmetic>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), rows = blocks.count(block);
    const Left<Arithmetic> input = takeLeft<Arithmetic>(scratch, rows, in.panels());
    for (int64_t j = 0; j < in.panels(); j++)
      packLeft(PanelView{of.x + first * in.total() + j * kPanel, in.total(), rows, in.count(j)}, input, j);
    float* const panel = scratch.take<float>(roundUp(rows, kTile) * kPanel);
    for (int64_t j = 0; j < out.panels(); j++) {
      product(input, 0, rows, weight, j, DepthRange(in.total()), panel, false, out.count(j));
      addBias(of.layer, j, panel, rows, y + first * out.total());
    }
  });
}

struct LinearGradients {
  float* x;  // null where the input needs none
  float *weight, *bias;
};

template <typename Arithmetic>
void linearBackward(const LinearArguments& of, const float* dy, const LinearGradients& gradients, Scratch& shared) {
  const Columns in = of.layer.in, out = of.layer.out;
  const bool reachesInput = gradients.x != nullptr;
  const Right<Arithmetic> weight = takeRight<Arithmetic>(shared, out.panels(), reachesInput ? in.panels() : 0);  // Wᵀ
  if (reachesInput) {
    parallelFor<Arithmetic>(of.threads, in.panels(),
                            [&](int64_t panel, Scratch&) { packWeightTransposed(of.layer, weight, panel); });
  }
  const RowBlocks blocks = RowBlocks::ofPanels(of.rows, of.threads);
  // Operands of the weight's gradient, which sums over all rows.
  const Left<Arithmetic> inputs = takeLeft<Arithmetic>(shared, in.panels() * kPanel, blocks.units());
  const Right<Arithmetic> outputs = takeRight<Arithmetic>(shared, blocks.units(), out.panels());
  const ColumnSums bias = ColumnSums::take(shared, out.total(), blocks.blocks);
  parallelFor<Arithmetic>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), rows = blocks.count(block);
    for (int64_t j = 0; j < in.panels(); j++) {
      packLeftTransposed(PanelView{of.x + first * in.total() + j * kPanel, in.total(), rows, in.count(j)}, inputs, j,
                         first / kPanel);
    }
    const Left<Arithmetic> output = takeLeft<Arithmetic>(scratch, rows, out.panels());
    for (int64_t j = 0; j < out.panels(); j++) {
      const PanelView view{dy + first * out.total() + j * kPanel, out.total(), rows, out.count(j)};
      if (reachesInput) packLeft(view, output, j);
      packRight(view, outputs, j, first / kPanel);
      bias.set(block, j * kPanel, view);
    }
    if (!reachesInput) return;
    float* const panel = scratch.take<float>(roundUp(rows, kTile) * kPanel);
    for (int64_t j = 0; j < in.panels(); j++) {
      product(output, 0, rows, weight, j, DepthRange(out.total()), panel);
      copyPanel(panel, rows, in.count(j), gradients.x + first * in.total() + j * kPanel, in.total());
    }
  });
  multiplyGradients<Arithmetic>(of.threads, {{inputs, outputs, in, out, gradients.weight}});
  bias.finish(gradients.bias, out.total());
}

}  // namespace winnow
