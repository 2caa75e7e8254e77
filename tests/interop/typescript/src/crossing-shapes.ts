/** What workflows and clients of the crossings have in common. */

import {
    ApplicationFailure,
    defineSearchAttributeKey,
    SearchAttributeType,
    TypedSearchAttributes,
} from '@temporalio/common';

export const LANGUAGE = 'TypeScript';

export interface Parcel {
    text: string;
    number: number;
    ratio: number;
    tags: string[];
}

export interface Attributes {
    keyword: string;
    int: number;
    list: string[];
}

export interface Outcome {
    parcels: Parcel[];
    seen: Attributes;
}

export interface Failure {
    message: string;
    type: string;
    non_retryable: boolean;
    details: unknown[];
}

const KEYWORD = defineSearchAttributeKey('CrossKeyword', SearchAttributeType.KEYWORD);
export const INT = defineSearchAttributeKey('CrossInt', SearchAttributeType.INT);
const LIST = defineSearchAttributeKey('CrossList', SearchAttributeType.KEYWORD_LIST);

export function attributesOf(found: TypedSearchAttributes): Attributes {
    return {
        keyword: found.get(KEYWORD) ?? '',
        int: found.get(INT) ?? 0,
        list: found.get(LIST) ?? [],
    };
}

export function attributesFrom(who: string): TypedSearchAttributes {
    return new TypedSearchAttributes([
        { key: KEYWORD, value: who },
        { key: INT, value: 1 },
        { key: LIST, value: ['a', 'b'] },
    ]);
}

/** The application errors of a chain, the outermost first. */
export function chainOf(error: unknown): Failure[] {
    const chain: Failure[] = [];
    for (let at = error; at instanceof Error; at = at.cause) {
        if (!(at instanceof ApplicationFailure)) continue;
        chain.push({
            message: at.message,
            type: at.type ?? '',
            non_retryable: at.nonRetryable ?? false,
            details: at.details ?? [],
        });
    }
    return chain;
}
