import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../deploy');

/** Where the rules are that are deployed beside Mooring. */
export const alertsFile = join(folder, 'prometheus/alerts.yml');

/** The same, as text. */
export const alertsText = readFileSync(alertsFile, 'utf8');

/** The names of the alerts, in their order. */
export const alertNames = [...alertsText.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name);

/** Name and label matchers of every series of ours in a text. */
export function selectorsIn(text: string): { name: string; matchers: string }[] {
  return [...text.matchAll(/\b(mooring_[a-z_]+)(?:\{([^}]*)\})?/g)].map(([, name = '', matchers = '']) => ({
    name,
    matchers,
  }));
}

/** A panel of the dashboard, as far as tests look at it. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

/** The dashboard for Grafana. */
export const dashboard = JSON.parse(readFileSync(join(folder, 'grafana/mooring.json'), 'utf8')) as {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
};

/** Every query of the dashboard, with what Grafana puts in for its variables. */
export function dashboardQueries(): string[] {
  const ofPanels = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const ofAnnotations = dashboard.annotations.list.map(({ expr }) => expr);
  return [...ofPanels, ...ofAnnotations].map((query) =>
    query.replaceAll('$__rate_interval', '5m').replaceAll(/\$(job|instance)/g, '.+'),
  );
}
