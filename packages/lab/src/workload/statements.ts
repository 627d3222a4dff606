import { statements } from '@winnow/core';
import { identifyStatementDataset, namesStatementData, openStatementDataset } from '@winnow/data';
import { blipKind } from './blip';
import { toldReading } from './told';

/** Judging statements about two pictures, by a BLIP whose text stack looks at both. */
export const statementsKind = blipKind({
  name: 'statements',
  purpose: 'statements',
  defaultData: 'scenes-statements',
  fits: namesStatementData,
  dataShape: {},
  identify: identifyStatementDataset,
  open: (choice, reading) => openStatementDataset(choice.data, toldReading('statements', choice, reading)),
  taskOf: (model, { imageSize, channels, endToken }) => statements(model, { imageSize, channels, endToken }),
});
