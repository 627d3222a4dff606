import { registerCharts } from './chart';
import { drawCurves } from './curves';
import { pageData } from './data';
import { drawFigures } from './figures';
import { drawKept } from './kept';

registerCharts();
const data = pageData();
drawCurves(data);
drawKept(data);
drawFigures(data);
