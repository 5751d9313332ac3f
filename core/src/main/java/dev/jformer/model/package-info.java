/**
 * Models: blocks of a token mixer and a channel mixer, and the model families that consist of them.
 * A model is a configuration with weights; {@link dev.jformer.model.Model.Config#build} builds one
 * with random weights.
 */
package dev.jformer.model;
