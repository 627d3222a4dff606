export { EngineUnavailableError, type Availability, type EngineDriver, type RunningEngine } from './driver';
export { availableEngines, engineNames, startEngine, type EngineName, type StartedEngine } from './engines';
export { giveBackFreedMemory } from './freed-memory';
export {
  devicePattern,
  precisionChoices,
  precisions,
  type EngineOptions,
  type EngineSettings,
  type Precision,
  type PrecisionChoice,
} from './options';
