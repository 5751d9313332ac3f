/**
 * Modules: the layers that models consist of, as plain objects in a tree of named parameters.
 *
 * <p>A {@link dev.jformer.nn.Module} owns parameters, buffers and child modules. Their dotted names
 * are stable and are the keys of a saved model. Children are held in {@link dev.jformer.nn.Slot}s,
 * so a layer can be replaced by another one, for example a quantized one.
 */
package dev.jformer.nn;
