/**
 * Surgery on trained models: functions from a model to a smaller, cheaper or plainer one. The
 * result is a model like any other, whose configuration says what it has become.
 */
package dev.jformer.compress;
