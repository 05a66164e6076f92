"""Export of a trained tower to ONNX: conversion, comparison with its source, reduced precision, metadata."""
