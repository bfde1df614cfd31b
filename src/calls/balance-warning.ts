import { microPerCredit } from "../core/credits.ts";

/** Below this an answer warns that the balance runs out. */
export const warningBelow = 10n * microPerCredit;
