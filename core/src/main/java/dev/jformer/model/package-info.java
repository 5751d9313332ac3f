/**
 * Models: blocks of a token mixer and a channel mixer, and the families built of them. A model is
 * its configuration and its weights; {@link dev.jformer.model.Model.Config#build} makes one with
 * fresh weights.
 */
package dev.jformer.model;
