#pragma once
// x + contract(activation(expand(norm(x)))) and its gradient, row block by row block: what one block needs stays in the
// core's cache, and only the numbers before the activation are kept for the backward pass.
#include "normalization.h"
#include "packed-operands.h"
#include "weight-gradients.h"

namespace winnow {

struct FfnArguments {
  const float* x;  // [N, D]
  int64_t rows;
  Norm norm;
  Weight expand;    // [D, hidden]
  Weight contract;  // [hidden, D]
  int threads;
};

/** How many numbers the forward pass keeps. */
inline int64_t keptByFfn(const FfnArguments& of) { return of.rows * of.expand.out.panels() * kPanel; }

/** Bytes of the weights as the forward pass reads them. */
template <typename Arithmetic>
int64_t packedByFfn(const FfnArguments& of) {
  const int64_t embed = of.expand.in.panels(), hidden = of.expand.out.panels();
  return PackedOperands<Arithmetic>::bytes(embed, hidden) + PackedOperands<Arithmetic>::bytes(hidden, embed);
}

/** As exactly as the results are kept. */
template <typename Arithmetic, typename Activation>
inline Activated activatedAt(Lanes x) {
  if constexpr (isRounded<Arithmetic>) return Activation::roughlyAt(x);
  else return Activation::at(x);
}

/** @param kept null where no gradient will be asked for. */
template <typename Arithmetic, typename Activation>
void ffnForward(const FfnArguments& of, float* y, Kept<Arithmetic>* kept, const PackedRoom& room, Scratch& shared) {
  using Number = Kept<Arithmetic>;
  const Columns embed = of.expand.in, hidden = of.expand.out;
  PackedOperands<Arithmetic> packed(room, shared);
  const Right<Arithmetic> expand = packed.take(embed.panels(), hidden.panels());
  const Right<Arithmetic> contract = packed.take(hidden.panels(), embed.panels());
  const int64_t unpacked = room.isPacked() ? 0 : hidden.panels() + embed.panels();
  parallelFor<Arithmetic>(of.threads, unpacked, [&](int64_t index, Scratch&) {
    if (index < hidden.panels()) packWeight(of.expand, expand, index);
    else packWeight(of.contract, contract, index - hidden.panels());
  });
  room.finish();

  const RowBlocks blocks = RowBlocks::ofTiles<Arithmetic>(of.rows, of.threads);
  parallelFor<Arithmetic>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), rows = blocks.count(block);
    const float* const x = of.x + first * embed.total();
    float* const panel = scratch.take<float>(roundUp(rows, kTile) * kPanel);

    const Panels<Number> normalized = takePanels<Number>(scratch, embed.panels(), rows);
    normalizeInto(of.norm, x, rows, normalized);
    const Left<Arithmetic> input = leftOf<Arithmetic>(normalized, 0, 0, rows, embed, scratch);

    const LeftInTheMaking<Arithmetic> active(scratch, rows, hidden);
    for (int64_t j = 0; j < hidden.panels(); j++) {
      const int64_t columns = hidden.count(j);
      product(input, 0, rows, expand, j, DepthRange(embed.total()), panel, false, columns);
      const float* const bias = of.expand.bias + hidden.first(j);
      for (int64_t column = 0; column < kPanel; column += kLanes) {
        const Lanes added = loadFirst(bias + column, columns - column);
        Number* const keep = kept == nullptr ? nullptr : Panels<Number>{kept, of.rows}.at(j, first) + column;
        const float* const from = panel + column;
        Number* const to = active.panel(j) + column;
        for (int64_t row = 0; row < rows; row++) {
          const Lanes before = load(from + row * kPanel) + added;
          if (keep != nullptr) storeNumbers(keep + row * kPanel, before);
          storeNumbers(to + row * kPanel, activatedAt<Arithmetic, Activation>(before).value);
        }
      }
      active.finish(j);
    }

    for (int64_t j = 0; j < embed.panels(); j++) {
      product(active.left(), 0, rows, contract, j, DepthRange(hidden.total()), panel, false, embed.count(j));
      addResidual(of.contract, j, panel, rows, x, y + first * embed.total());
    }
  });
}

struct FfnGradients {
  float *x, *normWeight, *normBias, *expandWeight, *expandBias, *contractWeight, *contractBias, *contractScale;
};

template <typename Arithmetic, typename Activation>
void ffnBackward(const FfnArguments& of, const float* dy, Kept<Arithmetic>* kept, const FfnGradients& gradients,
                 Scratch& shared) {
  using Number = Kept<Arithmetic>;
  const Columns embed = of.expand.in, hidden = of.expand.out;
  const Right<Arithmetic> expand = takeRight<Arithmetic>(shared, hidden.panels(), embed.panels());      // Wᵀ
  const Right<Arithmetic> contract = takeRight<Arithmetic>(shared, embed.panels(), hidden.panels());    // Wᵀ
  parallelFor<Arithmetic>(of.threads, hidden.panels() + embed.panels(), [&](int64_t index, Scratch&) {
    if (index < hidden.panels()) packWeightTransposed(of.contract, contract, index);
    else packWeightTransposed(of.expand, expand, index - hidden.panels());
  });

  const RowBlocks blocks = RowBlocks::ofPanels(of.rows, of.threads);
  const int64_t depth = blocks.units();
  // Operands of the weights' gradients, which sum over all rows.
  const Left<Arithmetic> inputs = takeLeft<Arithmetic>(shared, embed.panels() * kPanel, depth);
  const Left<Arithmetic> actives = takeLeft<Arithmetic>(shared, hidden.panels() * kPanel, depth);
  const Right<Arithmetic> outputs = takeRight<Arithmetic>(shared, depth, embed.panels());
  const Right<Arithmetic> befores = takeRight<Arithmetic>(shared, depth, hidden.panels());
  const NormSums normSums = NormSums::take(shared, embed.total(), blocks.blocks);
  const ColumnSums expandBias = ColumnSums::take(shared, hidden.total(), blocks.blocks);
  const ColumnSums contractBias = ColumnSums::take(shared, embed.total(), blocks.blocks);

  parallelFor<Arithmetic>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), rows = blocks.count(block);
    const int64_t depthTile = first / kPanel;
    const float* const output = dy + first * embed.total();
    float* const panel = scratch.take<float>(roundUp(rows, kTile) * kPanel);
    Number* const narrow = scratch.take<Number>(rows * kPanel);

    const Normalized normalized = Normalized::take(scratch, rows, embed.total());
    normalize(of.norm, of.x + first * embed.total(), rows, normalized, output);
    const Left<Arithmetic> outputLeft = takeLeft<Arithmetic>(scratch, rows, embed.panels());
    for (int64_t j = 0; j < embed.panels(); j++) {
      packLeftTransposed(scaledPanel(of.norm, normalized, j, rows, narrow), inputs, j, depthTile);
      const PanelView view{output + j * kPanel, embed.total(), rows, embed.count(j)};
      packLeft(view, outputLeft, j);
      packRight(view, outputs, j, depthTile);
      contractBias.set(block, j * kPanel, view);
    }

    const LeftInTheMaking<Arithmetic> before(scratch, rows, hidden);
    for (int64_t j = 0; j < hidden.panels(); j++) {
      product(outputLeft, 0, rows, contract, j, DepthRange(embed.total()), panel);
      const Number* const keep = Panels<Number>{kept, of.rows}.at(j, first);
      const Number* const next = keep + of.rows * kPanel;  // the next panel's, from further away than the core's caches
      Number* const to = before.panel(j);
      for (int64_t column = 0; column < kPanel; column += kLanes) {
        Lanes sum{};
        for (int64_t at = column; at < rows * kPanel; at += kPanel) {
          __builtin_prefetch(next + at);
          const Activated activated = activatedAt<Arithmetic, Activation>(loadNumbers(keep + at));
          storeNumbers(narrow + at, activated.value);
          const Lanes gradient = load(panel + at) * activated.slope;
          storeNumbers(to + at, gradient);
          sum += gradient;
        }
        storeFirst(expandBias.line(block) + hidden.first(j) + column, sum, hidden.count(j) - column);
      }
      packRight(before.finish(j), befores, j, depthTile);
      packLeftTransposed(PanelOf<Number>{narrow, kPanel, rows, hidden.count(j)}, actives, j, depthTile);
    }
    float* const scaled = scratch.take<float>(rows * normalized.stride);
    for (int64_t j = 0; j < embed.panels(); j++) {
      product(before.left(), 0, rows, expand, j, DepthRange(hidden.total()), panel);
      takeGradientPanel(of.norm, normalized, j, rows, panel, scaled, normSums, block);
    }
    normGradient(of.norm, normalized, scaled, rows, output, gradients.x + first * embed.total());
  });

  multiplyGradients<Arithmetic>(of.threads, {{inputs, befores, embed, hidden, gradients.expandWeight},
                                         {actives, outputs, hidden, embed, gradients.contractWeight}});
  normSums.weight.finish(gradients.normWeight, embed.total());
  normSums.bias.finish(gradients.normBias, embed.total());
  expandBias.finish(gradients.expandBias, hidden.total());
  contractBias.finish(gradients.contractBias, embed.total());
  takeScale<Arithmetic>(of.contract, of.threads, gradients.contractWeight, gradients.contractBias,
                        gradients.contractScale);
}

}  // namespace winnow
