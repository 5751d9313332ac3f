/**
 * Compression of trained models: functions from a model to a smaller, cheaper or simpler one. Start
 * with {@link dev.jformer.compress.Compression}; the methods are in the sub-packages.
 */
package dev.jformer.compress;
