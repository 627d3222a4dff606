/** The folder in which a run keeps ONNX files of its model, with what proves them. */
export const PROOF_FOLDER = 'proof';
