/**
 * RASP-L, a language of what decoder-only Transformers compute easily: an interpreter, its library
 * and the programs of <a href="https://arxiv.org/abs/2310.16028">What Algorithms can Transformers
 * Learn? A Study in Length Generalization</a>.
 */
package dev.jformer.rasp;
