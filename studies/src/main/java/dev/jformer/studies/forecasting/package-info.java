/** Studies of papers on forecasting. */
package dev.jformer.studies.forecasting;
