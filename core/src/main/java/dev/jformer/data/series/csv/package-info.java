/**
 * Reading time series from CSV files of many formats: separators, numbers, times, gaps. Start with
 * {@link dev.jformer.data.series.csv.SeriesCsv}.
 */
package dev.jformer.data.series.csv;
