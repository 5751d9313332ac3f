/**
 * Series over time as training data: reading them from CSV, their calendar, windows of past and
 * future, and what a forecast is measured by.
 *
 * <p>{@link dev.jformer.data.series.csv.SeriesCsv} reads a file into a {@link
 * dev.jformer.data.series.Series}, {@link dev.jformer.data.series.Split} says which rows train, a
 * {@link dev.jformer.data.series.Standardizer} made of those scales the values, {@link
 * dev.jformer.data.series.Calendar} tells a model what day it is, and {@link
 * dev.jformer.data.series.Windows} cuts all of it into batches.
 */
package dev.jformer.data.series;
