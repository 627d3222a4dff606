import { z } from 'zod';

/** The option of commands whose results programs read, too. */
export const jsonShape = { json: z.boolean().default(false).describe('For programs') };
