/**
 * Time series as training data: reading them from CSV, calendar features, windows of past and
 * future, and bands around forecasts.
 *
 * <p>{@link dev.jformer.data.series.csv.SeriesCsv} reads a file into a {@link
 * dev.jformer.data.series.Series}, {@link dev.jformer.data.series.Split} divides its rows into
 * training, validation and test, a {@link dev.jformer.data.series.Standardizer} scales the values,
 * {@link dev.jformer.data.series.Calendar} computes calendar features, and {@link
 * dev.jformer.data.series.Windows} cuts all of it into batches.
 */
package dev.jformer.data.series;
