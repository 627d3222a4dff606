import { registerCharts } from './chart';
import { drawConfusion } from './confusion';
import { drawCurves } from './curves';
import { pageData } from './data';
import { drawFigures } from './figures';
import { drawKept } from './kept';
import { drawLosses } from './losses';
import { drawMatrices } from './matrices';
import { drawScores } from './scores';

registerCharts();
const data = pageData();
switch (data.kind) {
  case 'comparison':
    drawCurves(data);
    drawKept(data);
    drawFigures(data);
    break;
  case 'run':
    drawLosses(data);
    drawConfusion(data);
    if (data.kept.length > 0) drawKept(data);
    if (data.figures.length > 0) drawFigures(data);
    break;
  case 'sparsity':
    drawScores(data);
    drawMatrices(data);
    break;
  case 'plan': // Its plots are there without a script.
    break;
  case 'proof':
    break; // Its tables have all numbers.
  default:
    data satisfies never;
}
