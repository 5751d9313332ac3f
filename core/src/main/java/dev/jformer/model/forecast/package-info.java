/** Models that forecast time series. */
package dev.jformer.model.forecast;
