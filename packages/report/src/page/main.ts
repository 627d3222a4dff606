import { registerCharts } from './chart';
import { drawCurves } from './curves';
import { pageData } from './data';
import { drawFigures } from './figures';
import { drawKept } from './kept';
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
  case 'sparsity':
    drawScores(data);
    drawMatrices(data);
    break;
  default:
    data satisfies never;
}
