/** Reads time series from CSV files: separators, number and time formats, gaps. */
package dev.jformer.data.series.csv;
