import { type CompressionMethod, type VisionTransformerPreset, classification } from '@winnow/core';
import { upopMethods } from '@winnow/upop';

/** The one place that names what this build of Winnow offers; everything else looks it up here. */

export const methods: readonly CompressionMethod[] = [...upopMethods];

export const models = ['nano', 'tiny', 'small', 'base'] as const satisfies readonly VisionTransformerPreset[];

export const tasks = { classification } as const;
