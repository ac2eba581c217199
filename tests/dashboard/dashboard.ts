// What docs/grafana.json must be, made of Grafana's own types: check.mjs puts the file after the "satisfies".
import type { AnnotationQuery, Dashboard, DataQuery, FieldConfigSource, Panel, RowPanel } from "@grafana/schema";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { FieldConfig as SeriesConfig, Options as SeriesOptions } from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// In JSON a value of an enum is its text or its number.
type Json<T> = T extends boolean | null | undefined ? T
  : T extends string ? `${T}`
  : T extends number ? (`${T}` extends `${infer N extends number}` ? N : T)
  : T extends (infer Item)[] ? Json<Item>[]
  : T extends object ? { [Key in keyof T]: Json<T[Key]> }
  : T;

// Queries of Prometheus have no types in Grafana's schema: what its documentation names, and we use.
interface PrometheusQuery extends DataQuery {
  editorMode: "code";
  expr: string;
  legendFormat: string;
  range: boolean;
}

interface PrometheusAnnotation extends AnnotationQuery {
  expr: string;
  step: string;
  titleFormat: string;
}

type Shown<Kind, Options, Config> = Omit<Panel, "type" | "options" | "fieldConfig" | "targets" | "title" | "description"> & {
  type: Kind;
  title: string;
  description: string;
  options: Options;
  fieldConfig: Config;
  targets: PrometheusQuery[];
};
type Row = Omit<RowPanel, "panels"> & { type: "row"; panels: [] };
type Stat = Shown<"stat", StatOptions, FieldConfigSource>;
type Custom = Omit<FieldConfigSource, "defaults"> & {
  defaults: Omit<FieldConfigSource["defaults"], "custom"> & { custom: Partial<SeriesConfig> };
};
type Series = Shown<"timeseries", SeriesOptions, Custom>;
type Whole = Omit<Dashboard, "panels" | "annotations"> & {
  panels: (Row | Stat | Series)[];
  annotations: { list: PrometheusAnnotation[] };
};

export const dashboard = {} satisfies Json<Whole>;
