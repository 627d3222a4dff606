export { EngineUnavailableError, type Availability, type EngineDriver } from './driver';
export { availableEngines, engineNames, startEngine, type EngineName, type StartedEngine } from './engines';
