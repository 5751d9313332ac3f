/**
 * Modules: the layers that models are built of, as plain objects in a tree of named parameters.
 *
 * <p>A {@link dev.jformer.nn.Module} owns parameters, buffers and child modules. Their dotted names
 * are stable and are the keys of a saved model. Children live in {@link dev.jformer.nn.Slot}s, so
 * replacing a layer by another one (a quantized, pruned or adapted one) is an ordinary operation on
 * the tree.
 */
package dev.jformer.nn;
