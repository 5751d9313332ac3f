/**
 * Classifiers of sequences of vectors, such as the spectra of a recording or the pixels of an
 * image: LMUFormer, its spiking version, and Transformers.
 */
package dev.jformer.model.sequence;
