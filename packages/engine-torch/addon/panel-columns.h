#pragma once
// Columns of panels that stand side by side, from any one on: those of a head.
#include "panels.h"

namespace winnow {

/**
 * Up to 32 columns of panels that stand side by side, from any column on, as one panel; zeros behind them.
 * Those of a head begin anywhere: heads stand without gaps, so that a narrow one costs no more than its width.
 */
template <typename Number>
PanelOf<Number> gather(const Panels<Number>& from, int64_t column, int64_t columns, int64_t row, int64_t rows,
                       Scratch& scratch) {
  const int64_t panel = column / kPanel, offset = column % kPanel;
  if (offset == 0 && columns == kPanel) return viewOf(from, panel, row, rows, columns);
  Number* const own = scratch.take<Number>(rows * kPanel);
  const int64_t here = std::min(columns, kPanel - offset);
  const Number* const near = from.at(panel, row) + offset;
  const Number* const far = here < columns ? from.at(panel + 1, row) : near;
  for (int64_t i = 0; i < rows * kPanel; i += kPanel) {
    for (int64_t at = 0; at < kPanel; at += kLanes) storeNumbers(own + i + at, loadFirstNumbers(near + i + at, here - at));
    for (int64_t at = 0; here + at < columns; at += kLanes)
      storeFirstNumbers(own + i + here + at, loadFirstNumbers(far + i + at, columns - here - at), columns - here - at);
  }
  return {own, kPanel, rows, columns};
}

/** The same numbers as float32. */
template <typename Number>
PanelView widened(const PanelOf<Number>& panel, Scratch& scratch) {
  if constexpr (std::is_same_v<Number, float>) {
    return panel;
  } else {
    float* const wide = scratch.take<float>(panel.rows * kPanel);
    for (int64_t row = 0; row < panel.rows; row++)
      for (int64_t at = 0; at < kPanel; at += kLanes) store(wide + row * kPanel + at, panel.lanes(row, at));
    return {wide, kPanel, panel.rows, panel.columns};
  }
}

/** A panel [rows, 32] → up to 32 columns of panels that stand side by side, from any column on; or, if it `adds`, += that. */
template <typename Number>
void scatter(const float* panel, int64_t rows, const Panels<Number>& to, int64_t column, int64_t columns, int64_t row,
             bool adds = false) {
  const int64_t offset = column % kPanel, here = std::min(columns, kPanel - offset);
  const auto part = [&](const float* from, Number* into, int64_t count) {
    for (int64_t i = 0; i < rows * kPanel; i += kPanel) {
      for (int64_t at = 0; at < count; at += kLanes) {
        const Lanes numbers = loadFirst(from + i + at, count - at);
        storeFirstNumbers(into + i + at, adds ? loadFirstNumbers(into + i + at, count - at) + numbers : numbers,
                          count - at);
      }
    }
  };
  part(panel, to.at(column / kPanel, row) + offset, here);
  if (here < columns) part(panel + here, to.at(column / kPanel + 1, row), columns - here);
}

}  // namespace winnow
