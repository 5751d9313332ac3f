/**
 * Programs that were learned: what remains of a trained Transformer Program (<a
 * href="https://arxiv.org/abs/2306.01128">Learning Transformer Programs</a>) when all of its
 * choices are made. They are interpreted, made shorter, and written as readable Java and Python.
 */
package dev.jformer.program;
