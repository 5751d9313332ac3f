/** Text for training: corpora, token files, labelled and parallel texts, and batches of them. */
package dev.jformer.data.text;
